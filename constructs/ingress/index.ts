export type { AuthenticatedRule, Authentication, AuthenticationAction, TokenCheck } from "./authentication";
export {
  Balancer,
  type BalancerAttributes,
  type BalancerProps,
  type ExistingBalancer,
  existingBalancer,
  https,
  type IBalancer,
  insecureHttp,
  type Listener,
} from "./balancer";
