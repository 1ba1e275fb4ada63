"""Refusals of registries, pipelines, releases and experiments."""

from __future__ import annotations

from typing import Any

from call import Call, backend
from refusals import moto_refuses, refuses

DOCS = "https://docs.aws.amazon.com/"


@refuses(
    "ecr-immutable-tag",
    "ecr",
    "PutImage",
    "ImageTagAlreadyExistsException",
    "The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten because the repository is "
    "immutable.",
    DOCS + "AmazonECR/latest/userguide/image-tag-mutability.html",
)
def immutable_tag(call: Call) -> dict[str, Any] | None:
    name, tag = call.params["repositoryName"], call.params.get("imageTag")
    repository = call.moto().repositories.get(name)
    if repository is None or tag is None or not str(repository.image_tag_mutability).startswith("IMMUTABLE"):
        return None
    held = [image for image in repository.images if tag in (image.image_tags or [])]
    changed = any(image.image_manifest != call.params["imageManifest"] for image in held)
    return {"tag": tag, "name": name} if changed else None


moto_refuses(
    "ecr-not-empty",
    "ecr",
    "DeleteRepository",
    "RepositoryNotEmptyException",
    DOCS + "AmazonECR/latest/APIReference/API_DeleteRepository.html",
)


@refuses(
    "codedeploy-ecs-controller",
    "codedeploy",
    "CreateDeploymentGroup",
    "InvalidECSServiceException",
    "Deployment group's ECS service must be configured for a CODE_DEPLOY deployment controller.",
    DOCS + "codedeploy/latest/APIReference/API_CreateDeploymentGroup.html",
)
def code_deploy_controller(call: Call) -> bool:
    services = backend("ecs", call.region).services
    for each in call.params.get("ecsServices") or []:
        held = services.get(f"{each['clusterName']}:{each['serviceName']}")
        if held is None or held.deployment_controller["type"] != "CODE_DEPLOY":
            return True
    return False


STOP_CONDITIONS = 5


@refuses(
    "fis-stop-conditions",
    "fis",
    "CreateExperimentTemplate UpdateExperimentTemplate",
    "ServiceQuotaExceededException",
    "A template can have at most 5 stop conditions, got {count}.",
    DOCS + "fis/latest/userguide/fis-quotas.html",
)
def stop_conditions(call: Call) -> dict[str, Any] | None:
    count = len(call.params.get("stopConditions") or [])
    return {"count": count} if count > STOP_CONDITIONS else None


@refuses(
    "fis-unknown-target",
    "fis",
    "CreateExperimentTemplate",
    "ValidationException",
    "Action {action} refers to the target {target}, which the template does not define.",
    DOCS + "fis/latest/APIReference/API_CreateExperimentTemplate.html",
)
def unknown_target(call: Call) -> dict[str, Any] | None:
    known = call.params.get("targets") or {}
    for name, action in (call.params.get("actions") or {}).items():
        for target in (action.get("targets") or {}).values():
            if target not in known:
                return {"action": name, "target": target}
    return None

moto_refuses(
    "ecr-repository-exists",
    "ecr",
    "CreateRepository",
    "RepositoryAlreadyExistsException",
    DOCS + "AmazonECR/latest/APIReference/API_CreateRepository.html",
)
moto_refuses(
    "codebuild-project-exists",
    "codebuild",
    "CreateProject",
    "ResourceAlreadyExistsException",
    DOCS + "codebuild/latest/APIReference/API_CreateProject.html",
)
