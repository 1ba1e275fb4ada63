import { checkArguments } from "../core/check-types";

/** File filters that decide which pushes start a pipeline, as globs: `src/**`. */
export interface FilePathFilter {
  /**
   * Starts the pipeline only for pushes that change one of these files; up to 8.
   *
   * @default - any file
   */
  readonly only?: readonly string[];
  /**
   * Ignores pushes that change only these files; up to 8.
   *
   * @default - none
   */
  readonly except?: readonly string[];
}

/** Options of a repository at GitHub, GitLab or Bitbucket. */
export interface ConnectedSourceOptions {
  /**
   * Branch to deliver.
   *
   * @default "main"
   */
  readonly branch?: string;
  /**
   * ARN of an existing, approved connection. One connection can serve all pipelines of the account.
   *
   * @default - a new connection; it stays pending, and the pipeline does not start, until you approve it in the console
   */
  readonly connectionArn?: string;
  /**
   * File filters that decide which pushes start the pipeline.
   *
   * @default - all
   */
  readonly paths?: FilePathFilter;
  /**
   * Tags that start the pipeline instead of pushes to the branch, as globs: `v*`; up to 8.
   *
   * @default - none: every push to the branch
   */
  readonly tags?: readonly string[];
}

/** @internal Definition of a source, for the pipeline that reads it. */
export type SourceDefinition =
  | ({
      readonly kind: "connection";
      readonly provider: "GitHub" | "GitLab" | "Bitbucket";
      readonly repository: string;
    } & ConnectedSourceOptions)
  | { readonly kind: "codeCommit"; readonly repository: string; readonly branch?: string }
  | { readonly kind: "s3"; readonly bucket: string; readonly key: string };

/** Source repository of a pipeline. */
export class Source {
  /** GitHub repository, such as `acme/orders`, connected through AWS CodeConnections. */
  static gitHub(repository: string, options: ConnectedSourceOptions = {}): Source {
    checkArguments("Source.gitHub", { repository, options });
    return new Source({ kind: "connection", provider: "GitHub", repository, ...options });
  }

  /** GitLab project, such as `acme/orders` or `acme/shop/orders`. */
  static gitLab(repository: string, options: ConnectedSourceOptions = {}): Source {
    checkArguments("Source.gitLab", { repository, options });
    return new Source({ kind: "connection", provider: "GitLab", repository, ...options });
  }

  /** Bitbucket repository, such as `acme/orders`. */
  static bitbucket(repository: string, options: ConnectedSourceOptions = {}): Source {
    checkArguments("Source.bitbucket", { repository, options });
    return new Source({ kind: "connection", provider: "Bitbucket", repository, ...options });
  }

  /**
   * CodeCommit repository in the pipeline's account and region.
   *
   * @param options.branch branch to deliver. Default: `main`
   */
  static codeCommit(repository: string, options: { readonly branch?: string } = {}): Source {
    checkArguments("Source.codeCommit", { repository, options });
    return new Source({ kind: "codeCommit", repository, ...options });
  }

  /**
   * Zip file of the repository in S3, for example uploaded by another CI system. The bucket must have versioning and send
   * events to EventBridge.
   */
  static s3(bucket: string, key: string): Source {
    checkArguments("Source.s3", { bucket, key });
    return new Source({ kind: "s3", bucket, key });
  }

  /**
   * Image that is built elsewhere, in an ECR repository of the pipeline's account and region. The pipeline releases it
   * instead of building one. A push to the tag starts the pipeline, which releases the digest.
   */
  static ecr(repository: string, options: { readonly tag: string }): ImageSource {
    checkArguments("Source.ecr", { repository, options });
    return { kind: "ecr", repository, tag: options.tag };
  }

  private constructor(
    /** @internal */
    readonly definition: SourceDefinition,
  ) {}
}

/** An image that is built elsewhere: see {@link Source.ecr}. */
export interface ImageSource {
  readonly kind: "ecr";
  /** Name of the repository. */
  readonly repository: string;
  /** Tag that starts the pipeline. */
  readonly tag: string;
}
