/**
 * Names by which the services of a platform find each other.
 *
 * @module
 */
export { Namespace, type NamespaceAttributes } from "./namespace";
