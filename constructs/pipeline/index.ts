/**
 * Delivery from a commit to production: pipelines, roles for other CI systems, and image repositories.
 *
 * @module
 */
export { CiRoles, type CiRolesProps } from "./ci-roles";
export {
  type CiTrust,
  type GitHubActionsOptions,
  type GitHubRepository,
  type GitLabCiOptions,
  gitHubActions,
  gitLabCi,
  type IamPrincipalOptions,
  iamPrincipal,
  OIDC_PROVIDERS,
  type OidcProvider,
} from "./ci-trust";
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
