export { Balancer, type BalancerProps, https, type IBalancer, insecureHttp, type Listener } from "./balancer";
