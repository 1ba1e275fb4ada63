export { DeliveryStack, type DeliveryStackProps } from "./delivery-stack";
export { ImageRepository, type ImageRepositoryProps } from "./image-repository";
