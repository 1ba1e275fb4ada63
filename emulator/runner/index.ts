export { AccountClient } from "./client";
export { endWithParent } from "./end-with-parent";
export { freePort } from "./free-port";
export { pushImage } from "./image";
export { TaskRunner } from "./runner";
export { StandIns } from "./stand-ins";
