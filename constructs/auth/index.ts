export { type BearerTokenOptions, bearerToken } from "./bearer-token";
export { type OidcSignInOptions, oidcSignIn } from "./oidc";
export { type SignInOptions, UNAUTHENTICATED, type Unauthenticated } from "./sign-in";
export { type IUserPool, MFA, type Mfa, UserPool, type UserPoolAttributes, type UserPoolProps } from "./user-pool";
