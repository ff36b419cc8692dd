// The script of an exported timeline: the pages' own modules, fed from the file instead of a server.

import "./help.js";
import "./page_buttons.js";
import { start as startPod } from "./pod.js";
import { Recording } from "./recording.js";
import { start as startSpace } from "./space.js";

const page = document.querySelector("[data-exported]");
const { messages, yaml } = JSON.parse(document.getElementById("recorded").textContent);
const recording = new Recording(messages, page.dataset.at);
document.documentElement.dataset.live = "yes";
if (page.id === "pod") startPod(page, recording);
else startSpace(page, recording, yaml);
