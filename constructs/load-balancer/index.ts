/**
 * Load balancers with their listeners and certificates, created or existing.
 *
 * @module
 */
export type { AuthenticatedRule, Authentication, AuthenticationAction, JwtValidation } from "./authentication";
export {
  type ExistingLoadBalancer,
  existingLoadBalancer,
  https,
  type ILoadBalancer,
  insecureHttp,
  type Listener,
  LoadBalancer,
  type LoadBalancerAttributes,
  type LoadBalancerProps,
} from "./load-balancer";
