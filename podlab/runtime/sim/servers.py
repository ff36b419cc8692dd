"""Programs that serve until they are stopped: how they listen, what they log first, how they take TERM.

As in life: nginx, Apache, Redis and the databases end on TERM; Python, Node, netcat and busybox httpd as PID 1 have no
handler and are killed after the grace period; what is not known here listens on the container's declared ports, answers
200 and ends on TERM.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from podlab.runtime.sim import chance
from podlab.runtime.sim.machine import SECOND, Machine, Program, Site, Wait

ENDING_SIGNALS = frozenset({"TERM", "INT", "QUIT"})


def anything(micros: int, path: str) -> tuple[int, str]:
    return 200, "ok\n"


def only(*paths: str) -> Site:
    """A server of files: only these are there."""

    def answer(micros: int, path: str) -> tuple[int, str]:
        found = path.partition("?")[0] in paths
        return (200, "<h1>It works</h1>\n") if found else (404, "404 Not Found\n")

    return answer


def liveness_example(micros: int, path: str) -> tuple[int, str]:
    """agnhost liveness, the example of the Kubernetes documentation: healthy for its first ten seconds."""
    return (200, "ok\n") if micros < 10 * SECOND else (500, f"error: {micros / SECOND:f}\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """`needs` maps an environment variable without which the program refuses to start to what it then says. `declared`:
    it also listens on the container's declared ports."""

    ports: tuple[int, ...] = ()
    site: Site | None = anything
    log: tuple[str, ...] = ()
    term_code: int | None = 0  # None: TERM is not handled
    term_seconds: float = 0.05
    declared: bool = False
    root: str = ""  # serves the files in this folder
    needs: Mapping[str, str] = field(default_factory=dict)
    memory: int = 12 * 2**20


UNKNOWN = Server(declared=True, term_seconds=0.3)
PAGES = only("/", "/index.html")
NGINX = Server(
    ports=(80,),
    site=PAGES,
    log=(
        "/docker-entrypoint.sh: Configuration complete; ready for start up",
        "[notice] 1#1: start worker processes",
    ),
)
POSTGRES = Server(
    ports=(5432,),
    site=None,
    log=("LOG:  database system is ready to accept connections",),
    term_seconds=0.2,
    needs={
        "POSTGRES_PASSWORD": "Error: Database is uninitialized and superuser password is not specified.\n"
        "       You must specify POSTGRES_PASSWORD to a non-empty value for the superuser."
    },
    memory=28 * 2**20,
)
MYSQL = Server(
    ports=(3306,),
    site=None,
    log=("[Server] ready for connections. port: 3306",),
    term_seconds=1.0,
    needs={
        "MYSQL_ROOT_PASSWORD": "[ERROR] [Entrypoint]: Database is uninitialized and password option is not specified\n"
        "    You need to specify one of the following as an environment variable: MYSQL_ROOT_PASSWORD"
    },
    memory=380 * 2**20,
)
REDIS = Server(ports=(6379,), site=None, log=("* Ready to accept connections tcp",), memory=8 * 2**20)
APACHE = Server(
    ports=(80,), site=PAGES, log=("[core:notice] [pid 1:tid 1] AH00094: Command line: 'httpd -D FOREGROUND'",)
)
UNHANDLED = Server(term_code=None)

_BY_IMAGE: dict[str, Server] = {
    "nginx": NGINX,
    "nginx-unprivileged": replace(NGINX, ports=(8080,)),
    "openresty": NGINX,
    "httpd": APACHE,
    "caddy": Server(ports=(80,), site=PAGES, log=('{"level":"info","msg":"serving initial configuration"}',)),
    "redis": REDIS,
    "valkey": REDIS,
    "postgres": POSTGRES,
    "mysql": MYSQL,
    "mariadb": replace(
        MYSQL,
        needs={
            "MARIADB_ROOT_PASSWORD": "[ERROR] [Entrypoint]: Database is uninitialized and password option is not specified"
        },
    ),
    "mongo": Server(ports=(27017,), site=None, log=('{"msg":"Waiting for connections"}',), memory=170 * 2**20),
    "memcached": Server(ports=(11211,), site=None),
    "rabbitmq": Server(ports=(5672,), site=None, term_seconds=2.0, log=("Server startup complete",)),
    "whoami": Server(ports=(80,), log=("Starting up on port 80",)),
    "kuard": Server(ports=(8080,), log=("Serving on HTTP on :8080",)),
    "hello-app": Server(ports=(8080,), log=("Server listening on port 8080",), term_code=2),
    "http-echo": Server(ports=(5678,), log=("[INFO] server is listening on :5678",)),
    "goproxy": Server(ports=(8080,), site=None, term_code=2),
    "echoserver": replace(NGINX, ports=(8080,), site=anything),
    "pause": Server(site=None, memory=2**20),
    "tomcat": Server(
        ports=(8080,), site=PAGES, term_code=143, term_seconds=0.5, log=("Server startup in [1024] milliseconds",)
    ),
    "grafana": Server(ports=(3000,)),
    "prometheus": Server(ports=(9090,)),
    "traefik": Server(ports=(80,), site=only()),
}
# Images whose default command reads the end of its input and leaves: a shell or a language prompt.
_LEAVES_AT_ONCE = frozenset(
    ["busybox", "alpine", "debian", "ubuntu", "python", "node", "fedora", "centos", "bash", "ruby", "golang", "openjdk"]
)
SMALL_IMAGES = frozenset({"busybox", "alpine"})

_BY_COMMAND: dict[str, Server] = {
    "nginx": NGINX,
    "httpd-foreground": APACHE,
    "apache2": APACHE,
    "redis-server": REDIS,
    "postgres": POSTGRES,
    "mysqld": MYSQL,
    "memcached": _BY_IMAGE["memcached"],
    "mongod": _BY_IMAGE["mongo"],
    "caddy": _BY_IMAGE["caddy"],
    "pause": _BY_IMAGE["pause"],
    "node": Server(term_code=None, declared=True),
    "gunicorn": Server(ports=(8000,), declared=True, log=("[INFO] Listening at: http://0.0.0.0:8000 (1)",)),
    "uvicorn": Server(ports=(8000,), declared=True, log=("INFO:     Uvicorn running on http://127.0.0.1:8000",)),
}


def image_name(ref: str) -> str:
    """ "nginx" of docker.io/library/nginx:1.27@sha256:…"""
    return posixpath.basename(ref.partition("@")[0]).partition(":")[0].lower()


def of_image(ref: str) -> Server | None:
    """What the image runs by default; None: it ends at once."""
    name = image_name(ref)
    return _BY_IMAGE.get(name, None if name in _LEAVES_AT_ONCE else UNKNOWN)


def with_args(ref: str, args: tuple[str, ...]) -> Server | None:
    """Images that are made to be steered by their args."""
    if image_name(ref) != "agnhost" or not args:
        return None
    if args[0] == "liveness":
        return Server(ports=(8080,), site=liveness_example, term_code=2)
    if args[0] in {"netexec", "serve-hostname", "porter", "test-webserver"}:
        port = next((int(word.rpartition("=")[2]) for word in args if word.startswith(("--http-port=", "--port="))), 0)
        return Server(ports=(port or {"netexec": 8080, "serve-hostname": 9376}.get(args[0], 80),), declared=True)
    return UNKNOWN


def _option(argv: list[str], name: str, default: int) -> int:
    """The port after `-p` (or glued to it)."""
    for index, word in enumerate(argv):
        value = argv[index + 1] if word == name and index + 1 < len(argv) else word.removeprefix(name)
        if word.startswith(name) and value.rpartition(":")[2].isdigit():
            return int(value.rpartition(":")[2])
    return default


def netcat(argv: list[str]) -> Server:
    port = _option(argv, "-p", 0) or next((int(word) for word in argv[1:] if word.isdigit()), 0)
    return Server(ports=(port,) if port else (), site=None, term_code=None)


def of_command(argv: list[str]) -> Server | None:
    """The server that an argv starts, if it is a known one."""
    name = posixpath.basename(argv[0])
    if name == "nginx" and any(word in argv for word in ("-s", "-t", "-v")):
        return None
    if name == "httpd":  # busybox; the image "httpd" starts httpd-foreground
        root = argv[argv.index("-h") + 1] if "-h" in argv[:-1] else "/"
        return Server(ports=(_option(argv, "-p", 80),), root=root, term_code=None, memory=2**20)
    if name.startswith("python") and "http.server" in argv:
        rest = argv[argv.index("http.server") + 1 :]
        port = next((int(word) for word in rest if word.isdigit()), 8000)
        return Server(ports=(port,), site=PAGES, term_code=None, memory=18 * 2**20)
    if name.startswith("python"):
        return replace(UNHANDLED, declared=True)
    if name == "http-echo":
        return _BY_IMAGE["http-echo"]
    return _BY_COMMAND.get(name)


def is_applet(name: str) -> bool:
    return name in {"httpd", "nc"}


def files_in(machine: Machine, root: str) -> Site:
    def answer(micros: int, path: str) -> tuple[int, str]:
        name = path.partition("?")[0]
        text = machine.files.read(
            posixpath.normpath(f"{root}/{name}/index.html" if name.endswith("/") else root + name)
        )
        return (200, text) if text is not None else (404, "404 Not Found\n")

    return answer


def serve(machine: Machine, server: Server, *, direct: bool, site: Site | None = None) -> Program:
    """Listen until stopped. Only PID 1 gets the container's signals (`direct`). `site`: instead of the server's own."""
    for variable, complaint in server.needs.items():
        if not machine.setting.env.get(variable) and not machine.setting.env.get("MYSQL_ALLOW_EMPTY_PASSWORD"):
            machine.out("stderr", complaint + "\n")
            yield Wait(micros=SECOND // 5)
            return 1
    if not machine.use_memory(server.memory):
        yield Wait()
    declared = machine.setting.declared_ports if server.declared else ()
    for port in (*server.ports, *declared):
        machine.ports[port] = site or (files_in(machine, server.root) if server.root else server.site)
    for line in server.log:
        machine.out("stdout", line + "\n")
    return (yield from block(machine if direct and server.term_code is not None else None, server))


def block(machine: Machine | None = None, server: Server = UNHANDLED) -> Program:
    """Run until stopped; with a machine its signals are handled."""
    if machine is None:
        yield Wait()
        return 0
    machine.handled |= ENDING_SIGNALS
    while (yield Wait(interruptible=True)) not in ENDING_SIGNALS:
        pass
    machine.handled.clear()
    jitter = chance.between(0.8, 1.2, machine.setting.seed, "term")
    machine.ports.clear()
    yield Wait(micros=round(server.term_seconds * jitter * SECOND))
    return server.term_code or 0
