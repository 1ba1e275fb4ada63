/** Files that start a pipeline, as globs: `src/**`. */
export interface FilePathFilter {
  /**
   * A push must touch one of these; up to 8.
   *
   * @default - any file
   */
  readonly only?: readonly string[];
  /**
   * A push that touches nothing but these starts nothing; up to 8.
   *
   * @default - none
   */
  readonly except?: readonly string[];
}

/** A repository at GitHub, GitLab or Bitbucket. */
export interface ConnectedSourceOptions {
  /**
   * Branch that is delivered.
   *
   * @default "main"
   */
  readonly branch?: string;
  /**
   * ARN of a connection that exists and was approved; it can serve all pipelines of the account.
   *
   * @default - one is made; it is pending, and the pipeline starts nothing, until a person approves it in the console
   */
  readonly connectionArn?: string;
  /**
   * File filters that decide which pushes start the pipeline.
   *
   * @default - all
   */
  readonly paths?: FilePathFilter;
  /**
   * Tags that start the pipeline in place of pushes to the branch, as globs: `v*`; up to 8.
   *
   * @default - none: every push to the branch
   */
  readonly tags?: readonly string[];
}

/** @internal What a source is, for the pipeline that reads it. */
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
  /** `acme/orders` at GitHub, by AWS CodeConnections. */
  static gitHub(repository: string, options: ConnectedSourceOptions = {}): Source {
    return new Source({ kind: "connection", provider: "GitHub", repository, ...options });
  }

  /** `acme/orders`, or `acme/shop/orders`, at GitLab. */
  static gitLab(repository: string, options: ConnectedSourceOptions = {}): Source {
    return new Source({ kind: "connection", provider: "GitLab", repository, ...options });
  }

  /** `acme/orders` at Bitbucket. */
  static bitbucket(repository: string, options: ConnectedSourceOptions = {}): Source {
    return new Source({ kind: "connection", provider: "Bitbucket", repository, ...options });
  }

  /**
   * A repository of CodeCommit, in the pipeline's account and region.
   *
   * @param options.branch branch that is delivered. Default: `main`
   */
  static codeCommit(repository: string, options: { readonly branch?: string } = {}): Source {
    return new Source({ kind: "codeCommit", repository, ...options });
  }

  /**
   * The repository as a zip file in S3, such as another CI uploads. The bucket must keep versions and tell EventBridge of
   * new objects.
   */
  static s3(bucket: string, key: string): Source {
    return new Source({ kind: "s3", bucket, key });
  }

  /**
   * An image that others build, in a repository of ECR in the pipeline's account and region: what a pipeline releases in
   * place of one that it builds. A push to the tag starts the pipeline; what is released is the digest.
   */
  static ecr(repository: string, options: { readonly tag: string }): ImageSource {
    return { kind: "ecr", repository, tag: options.tag };
  }

  private constructor(
    /** @internal */
    readonly definition: SourceDefinition,
  ) {}
}

/** An image that others build: see {@link Source.ecr}. */
export interface ImageSource {
  readonly kind: "ecr";
  /** Name of the repository. */
  readonly repository: string;
  /** Tag that is followed. */
  readonly tag: string;
}
