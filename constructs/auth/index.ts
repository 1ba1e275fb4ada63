/**
 * Sign-in of users, bearer tokens of callers, and a firewall for all services of a platform.
 *
 * @module
 */
export { type BearerTokenOptions, bearerToken } from "./bearer-token";
export { type OidcSignInOptions, oidcSignIn } from "./oidc";
export { type SignInOptions, UNAUTHENTICATED, type Unauthenticated } from "./sign-in";
export { type IUserPool, MFA, type Mfa, UserPool, type UserPoolAttributes, type UserPoolProps } from "./user-pool";
export {
  MANAGED_RULES,
  type ManagedRules,
  WEB_ACL_LOGS,
  WEB_ACL_MODES,
  WebAcl,
  type WebAclLogs,
  type WebAclMode,
  type WebAclProps,
} from "./web-acl";
