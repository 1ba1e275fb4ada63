/** Folder of a stack's plans in the bucket of its state, next to the state. */
export function plansFolder(stackId: string): string {
  return `${stackId}/plans/`;
}
