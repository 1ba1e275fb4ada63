/** Path of a folder from the root of its git repository: `services/orders`. It has no word that a shell or a CI system evaluates. */
export const PATH_FROM_ROOT = /^(?=.{1,100}$)[A-Za-z0-9][\w.-]*(\/[A-Za-z0-9][\w.-]*)*$/;

/** Path back from such a folder to the root: `../../`. */
export const toRoot = (directory: string): string => directory.replace(/[^/]+\/?/g, "../");
