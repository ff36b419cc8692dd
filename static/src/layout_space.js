// The lanes of a namespace: owners as headings, a row for each pod, and of pods that are opened all their lanes. Pure.

const HEIGHT = { group: 22, set: 16, pod: 24, condition: 13, phase: 16, container: 18, probe: 20, events: 24 };
const READY = 3; // px of the readiness at the foot of a pod's row

// Pods by their owners: [{key, chain: [{kind, name, uid}], pods}], in the order in which the first pod of each came.
// `owners` of a pod stand root first (Deployment, ReplicaSet); pods without an owner are one group at the end.
export function grouped(pods) {
  const groups = new Map();
  for (const pod of pods) {
    const root = pod.owners[0];
    const key = root ? root.uid : "";
    if (!groups.has(key)) groups.set(key, { key, chain: root ? [root] : [], pods: [] });
    groups.get(key).pods.push(pod);
  }
  const bare = groups.get("");
  groups.delete("");
  for (const group of groups.values()) group.pods = byParent(group.pods);
  return [...groups.values(), ...(bare ? [bare] : [])];
}

// Of a Deployment: the pods of one ReplicaSet after those of the other, the older set first.
function byParent(pods) {
  const sets = new Map();
  for (const pod of pods) {
    const key = pod.owners.at(-1).uid;
    if (!sets.has(key)) sets.set(key, []);
    sets.get(key).push(pod);
  }
  return [...sets.values()].flat();
}

export const byAge = (a, b) => (a.created < b.created ? -1 : a.created > b.created ? 1 : a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

// `pods`: [{uid, name, gone, owners, containers}]; `opened`: uids whose lanes are all shown; `shut`: keys of closed groups.
export function spaceLanes(pods, { opened = new Set(), shut = new Set() } = {}) {
  const made = new Lanes();
  made.add("events", "events", "Events");
  for (const group of grouped(pods)) {
    const live = group.pods.filter((pod) => !pod.gone).length;
    const [root] = group.chain;
    if (root) made.add(`group/${group.key}`, "group", root.name, { gap: 10, kindOf: root.kind, count: live, of: group.pods.length, shut: shut.has(group.key), key: group.key });
    else if (made.found.some((lane) => lane.kind === "group")) made.y += 10;
    if (root && shut.has(group.key)) continue;
    let parent = "";
    for (const pod of group.pods) {
      const set = pod.owners.length > 1 ? pod.owners.at(-1) : null;
      if (set && set.uid !== parent) made.add(`set/${set.uid}`, "set", set.name, { gap: 4, kindOf: set.kind, sub: true });
      parent = set?.uid ?? "";
      made.pod(pod, { opened: opened.has(pod.uid), root });
    }
  }
  return { lanes: made.found, height: made.y + 12 };
}

class Lanes {
  found = [];
  y = 10;

  add(id, kind, label, { gap = 0, height = HEIGHT[kind], ...more } = {}) {
    this.y += gap;
    const lane = { id, kind, label, note: "", sub: false, dim: false, link: "", y: this.y, height, ...more };
    this.found.push(lane);
    this.y += height;
    return lane;
  }

  pod({ uid, name, gone, owners, containers }, { opened, root }) {
    const parent = root && owners.length > 1 ? owners.at(-1).name : "";
    const more = { dim: gone, link: uid, parent, sub: Boolean(root), opened };
    if (!opened) {
      const lane = this.add(`${uid}/pod`, "pod", name, { gap: 4, ...more });
      lane.rows = rowsOf(lane, uid, containers);
      lane.probes = containers.flatMap((one) => one.probes.map(({ type }) => `${uid}/probe/${one.name}/${type}`));
      return;
    }
    this.add(`${uid}/phase`, "phase", name, { gap: 6, ...more });
    this.add(`${uid}/condition/Ready`, "condition", "Ready", { gap: 3, sub: true, dim: gone });
    for (const container of containers) {
      const note = container.sort === "app" ? "" : container.sort;
      this.add(`${uid}/container/${container.name}`, "container", container.name, { gap: 2, note, sub: true, dim: gone });
      for (const { type } of container.probes) {
        this.add(`${uid}/probe/${container.name}/${type}`, "probe", type, { gap: 2, sub: true, dim: gone });
      }
    }
  }
}

// The containers of a pod share its row; readiness is a thin line at the foot. Under them, while there are none, it is pending.
function rowsOf(lane, uid, containers) {
  const inner = lane.height - READY - 3;
  const ids = containers.length ? containers.map((one) => `${uid}/container/${one.name}`) : [`${uid}/phase`];
  const height = Math.max(inner / ids.length, 2);
  const rows = ids.map((id, index) => ({ id, kind: "bars", y: lane.y + 1 + index * height, height: Math.max(height - (ids.length > 1 ? 1 : 0), 1.5) }));
  const pending = { id: `${uid}/phase`, kind: "pending", y: lane.y + 1, height: inner };
  return [pending, ...rows, { id: `${uid}/condition/Ready`, kind: "ready", y: lane.y + lane.height - READY - 1, height: READY }];
}
