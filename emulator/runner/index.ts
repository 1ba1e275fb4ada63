export { AccountClient } from "./client";
export { freePort } from "./free-port";
export { pushImage } from "./image";
export { TaskRunner } from "./runner";
export { StandIns } from "./stand-ins";
