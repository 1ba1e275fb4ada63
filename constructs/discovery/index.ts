export { Namespace, type NamespaceAttributes } from "./namespace";
