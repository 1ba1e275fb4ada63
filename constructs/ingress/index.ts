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
