"""Everything of the API that is a stream into a pod: exec, attach, portforward, log over websockets, proxy.

`endpoint` takes the websockets of both ports, `dispatch` sends plain requests to `plain` and `proxy`. `targets` decides
who may do it and which container or port is meant; `node_connection` talks to the worker that plays the node.
"""
