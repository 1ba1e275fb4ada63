/** Declares the packages of CDK for Terraform, which the types of antifragile name, as those of CDK Terrain. */
import type {} from "antifragile/cdktn";
