export { DeliveryStack, type DeliveryStackProps } from "./delivery-stack";
export {
  GitHubActionsRoles,
  type GitHubActionsRolesProps,
  type GitHubRepository,
  OIDC_PROVIDERS,
  type OidcProvider,
} from "./github-actions-roles";
export { type IImageRepository, ImageRepository, type ImageRepositoryProps } from "./image-repository";
export { Pipeline } from "./pipeline";
export {
  EXECUTION_MODES,
  type ExecutionMode,
  type PipelineProps,
  type PipelineRelease,
  type PipelineVariable,
  type ReleaseGate,
} from "./settings";
export { type ConnectedSourceOptions, type ImageSource, type PathFilter, Source } from "./source";
