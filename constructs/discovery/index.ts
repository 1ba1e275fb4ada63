export { type INamespace, Namespace, type NamespaceAttributes } from "./namespace";
