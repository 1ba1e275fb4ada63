export { existingQueue, type IQueue, QueueGrants } from "./queue";
