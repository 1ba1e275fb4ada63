export {
  CiRoles,
  type CiRolesProps,
  type GitHubRepository,
  OIDC_PROVIDERS,
  type OidcProvider,
} from "./ci-roles";
export { DeliveryStack, type DeliveryStackProps } from "./delivery-stack";
export { type IImageRepository, ImageRepository, type ImageRepositoryProps } from "./image-repository";
export { Pipeline } from "./pipeline";
export {
  EXECUTION_MODES,
  type ExecutionMode,
  type PipelineProps,
  type PipelineRelease,
  type PipelineVariable,
  type ReleaseGate,
} from "./pipeline-props";
export { type ConnectedSourceOptions, type FilePathFilter, type ImageSource, Source } from "./source";
