import jetbrains.buildServer.configs.kotlin.*
import jetbrains.buildServer.configs.kotlin.buildFeatures.approval
import jetbrains.buildServer.configs.kotlin.buildSteps.script
import jetbrains.buildServer.configs.kotlin.triggers.finishBuildTrigger
import jetbrains.buildServer.configs.kotlin.triggers.vcs

// Tests every push. Deploys the default branch to staging and, after an administrator approves, to production. Agents with the
// parameter "delivery" need Node.js, Terraform and Docker that builds for arm64. They get AWS credentials from an instance role:
// there are no secrets.
version = "2024.12"

project {
    buildType(Test)
    buildType(Staging)
    buildType(Production)
}

fun BuildSteps.npm(line: String) = script {
    name = line
    scriptContent = line
}

object Test : BuildType({
    name = "Test"
    vcs { root(DslContext.settingsRoot) }
    steps {
        npm("npm ci")
        npm("npm run lint")
        npm("npm run typecheck")
        npm("npm test")
    }
    triggers { vcs {} }
})

object Staging : BuildType({
    name = "Staging"
    maxRunningBuilds = 1
    vcs { root(DslContext.settingsRoot) }
    steps {
        npm("npm ci")
        npm("npm run doctor -- staging")
        npm("npm run image")
        npm("npm run plan -- staging")
        npm("npm run apply -- staging")
        npm("npm run release -- staging --image-file image.txt")
    }
    triggers {
        finishBuildTrigger {
            buildType = "${Test.id}"
            successfulOnly = true
            branchFilter = "+:<default>"
        }
    }
    dependencies {
        snapshot(Test) { onDependencyFailure = FailureAction.FAIL_TO_START }
    }
    requirements { exists("delivery") }
})

object Production : BuildType({
    name = "Production"
    maxRunningBuilds = 1
    vcs { root(DslContext.settingsRoot) }
    steps {
        npm("npm ci")
        npm("npm run doctor -- production")
        npm("npm run image")
        npm("npm run plan -- production")
        npm("npm run apply -- production")
        npm("npm run release -- production --image-file image.txt")
    }
    triggers {
        finishBuildTrigger {
            buildType = "${Staging.id}"
            successfulOnly = true
            branchFilter = "+:<default>"
        }
    }
    dependencies {
        snapshot(Staging) { onDependencyFailure = FailureAction.FAIL_TO_START }
    }
    requirements { exists("delivery") }
    features {
        approval {
            approvalRules = "user:admin"
            timeout = 1440
        }
    }
})
