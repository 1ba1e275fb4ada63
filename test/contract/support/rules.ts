import ts from "typescript";
import type { Exported } from "./public-api";
import { eachNode, type Sources } from "./sources";

/** A place that breaks a rule: `C3 LogStreamProps.name`, and what is wrong with it. */
export interface Violation {
  readonly rule: string;
  readonly where: string;
  readonly problem: string;
}

/** A place that may break a rule, and why. */
export interface Exception {
  readonly rule: string;
  readonly where: string;
  readonly why: string;
}

/** Violations without the exceptions, and exceptions that are not needed. */
export function judged(violations: readonly Violation[], exceptions: readonly Exception[]): string[] {
  const key = ({ rule, where }: { readonly rule: string; readonly where: string }) => `${rule} ${where}`;
  const allowed = new Set(exceptions.map(key));
  const broken = new Set(violations.map(key));
  return [
    ...violations.filter((each) => !allowed.has(key(each))).map((each) => `${key(each)}: ${each.problem}`),
    ...exceptions.filter((each) => !broken.has(key(each))).map((each) => `${key(each)}: the exception is not needed`),
  ];
}

interface Doc {
  readonly first: string;
  readonly text: string;
  readonly tags: ReadonlySet<string>;
}

function docOf(node: ts.Node): Doc {
  const docs = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  const text = docs.map((doc) => ts.getTextOfJSDocComment(doc.comment) ?? "").join("\n");
  const tags = docs.flatMap((doc) => doc.tags?.map((tag) => tag.tagName.text) ?? []);
  return { first: text.split(/\n\s*\n/)[0]!.trim(), text, tags: new Set(tags) };
}

/** Every class in the sources by name, and what it extends. */
function basesOf(sources: Sources): ReadonlyMap<string, string | undefined> {
  const bases = new Map<string, string | undefined>();
  for (const source of sources.values()) {
    eachNode(source, (node) => {
      if (!ts.isClassDeclaration(node) || node.name === undefined) return;
      const base = node.heritageClauses?.find(({ token }) => token === ts.SyntaxKind.ExtendsKeyword)?.types[0];
      bases.set(node.name.text, base?.expression.getText(source));
    });
  }
  return bases;
}

/** Exported classes that stand in the tree, and whether each is a stack. */
export function constructClasses(
  sources: Sources,
  exported: ReadonlyMap<string, Exported>,
): { readonly name: string; readonly node: ts.ClassDeclaration; readonly stack: boolean }[] {
  const bases = basesOf(sources);
  const rootOf = (name: string): string => {
    const base = bases.get(name);
    return base === undefined ? name : rootOf(base);
  };
  return [...exported.values()].flatMap(({ name, node }) => {
    if (node === undefined || !ts.isClassDeclaration(node)) return [];
    const root = rootOf(name);
    return root === "Construct" || root === "TerraformStack" ? [{ name, node, stack: root === "TerraformStack" }] : [];
  });
}

function interfacesOf(exported: ReadonlyMap<string, Exported>): ts.InterfaceDeclaration[] {
  return [...exported.values()].flatMap(({ node }) =>
    node !== undefined && ts.isInterfaceDeclaration(node) ? [node] : [],
  );
}

const membersOf = (node: ts.InterfaceDeclaration) => node.members.filter(ts.isPropertySignature);
const has = (node: ts.HasModifiers, kind: ts.SyntaxKind) => node.modifiers?.some((each) => each.kind === kind) ?? false;
const typeText = (node: ts.PropertySignature | ts.ParameterDeclaration) => node.type?.getText() ?? "";

/** C1: `(scope, id, props)`, and `props = {}` when nothing in it is required. */
export function constructors(sources: Sources, exported: ReadonlyMap<string, Exported>): Violation[] {
  const interfaces = new Map<string, ts.InterfaceDeclaration>();
  for (const source of sources.values()) {
    eachNode(source, (node) => {
      if (ts.isInterfaceDeclaration(node)) interfaces.set(node.name.text, node);
    });
  }
  const requires = (name: string): boolean => {
    const node = interfaces.get(name);
    const inherited =
      node?.heritageClauses?.flatMap(({ types }) => types.map((type) => type.expression.getText())) ?? [];
    return (
      node === undefined || membersOf(node).some((each) => each.questionToken === undefined) || inherited.some(requires)
    );
  };
  return constructClasses(sources, exported).flatMap(({ name, node, stack }) => {
    const made = node.members.find(ts.isConstructorDeclaration);
    if (made === undefined) return [];
    const words = made.parameters.map((parameter) => parameter.name.getText());
    const wanted = ["scope", stack ? "name" : "id", "props"];
    if (words.join() !== wanted.join()) {
      return [{ rule: "C1", where: name, problem: `takes (${words.join(", ")}), not (${wanted.join(", ")})` }];
    }
    const props = made.parameters[2]!;
    const optional = props.initializer?.getText() === "{}";
    if (optional === requires(typeText(props))) {
      return [
        {
          rule: "C1",
          where: name,
          problem: optional ? "props have something required" : "nothing is required: props = {}",
        },
      ];
    }
    return [];
  });
}

/** C2: readonly, and no more than can be read at a glance. */
export function props(exported: ReadonlyMap<string, Exported>): Violation[] {
  return interfacesOf(exported).flatMap((node) => {
    const members = membersOf(node);
    const writable = members.filter((member) => !has(member, ts.SyntaxKind.ReadonlyKeyword));
    return [
      ...writable.map((member) => ({ rule: "C2", where: place(node, member), problem: "is not readonly" })),
      ...(members.length > 15
        ? [{ rule: "C2", where: node.name.text, problem: `has ${members.length} props, more than 15` }]
        : []),
    ];
  });
}

const place = (node: ts.InterfaceDeclaration, member: ts.PropertySignature) =>
  `${node.name.text}.${member.name.getText()}`;

/** C3: what happens when it is left out. */
export function defaults(exported: ReadonlyMap<string, Exported>): Violation[] {
  return interfacesOf(exported).flatMap((node) =>
    membersOf(node)
      .filter((member) => member.questionToken !== undefined && !docOf(member).tags.has("default"))
      .map((member) => ({ rule: "C3", where: place(node, member), problem: "is optional and tells no @default" })),
  );
}

/** C6: no enum anywhere. */
export function enums(sources: Sources): Violation[] {
  const found: Violation[] = [];
  for (const [path, source] of sources) {
    eachNode(source, (node) => {
      if (!ts.isEnumDeclaration(node)) return;
      found.push({
        rule: "C6",
        where: node.name.text,
        problem: `is an enum, in ${path}: use a const array and its union`,
      });
    });
  }
  return found;
}

/** C7: units in types, or in the name where a number is all there is. */
export function units(exported: ReadonlyMap<string, Exported>): Violation[] {
  return interfacesOf(exported).flatMap((node) =>
    membersOf(node).flatMap((member) => {
      const name = member.name.getText();
      if (!/\bnumber\b/.test(typeText(member)) || ts.isFunctionTypeNode(member.type!)) return [];
      const problem = /(Millis|Ms|Seconds|Minutes|Hours|Days)$/.test(name)
        ? "is a number of a unit of time: use Duration"
        : /percent/i.test(name) && !/(^percent|Percent)$/.test(name)
          ? "is a percentage whose name does not end in Percent"
          : /memory|ram$/i.test(name) && !/^(memoryMiB|memoryPercent)$/.test(name)
            ? "is an amount of memory: call it memoryMiB"
            : undefined;
      return problem === undefined ? [] : [{ rule: "C7", where: place(node, member), problem }];
    }),
  );
}

/** C8: things are referred to by interface; ids and ARNs only where a thing of others is described. */
export function references(exported: ReadonlyMap<string, Exported>): Violation[] {
  return interfacesOf(exported)
    .filter(({ name }) => !/^I[A-Z]|Attributes$/.test(name.text))
    .flatMap((node) =>
      membersOf(node)
        .filter((member) => /(Arn|Id)s?$/.test(member.name.getText()) && /\bstring\b/.test(typeText(member)))
        .map((member) => ({
          rule: "C8",
          where: place(node, member),
          problem: "refers to a thing by its id or ARN: take its interface",
        })),
    );
}

/** C8, the other half: what can be referred to by interface can be imported. */
export function imports(exported: ReadonlyMap<string, Exported>): Violation[] {
  return interfacesOf(exported).flatMap((node) => {
    const [, name] = /^I([A-Z]\w*)$/.exec(node.name.text) ?? [];
    if (name === undefined) return [];
    const type = exported.get(name)?.node;
    const statics =
      type !== undefined && ts.isClassDeclaration(type)
        ? type.members.filter((member) => ts.isMethodDeclaration(member) && has(member, ts.SyntaxKind.StaticKeyword))
        : [];
    const imported =
      exported.has(`existing${name}`) ||
      statics.some((member) => /^(from|existing)/.test(member.name?.getText() ?? ""));
    return imported ? [] : [{ rule: "C8", where: node.name.text, problem: `nothing makes one of what others own` }];
  });
}

/**
 * C8, the third part: a prop or a parameter takes what `existingX(...)` or a static `fromX(...)` returns.
 */
export function accepted(exported: ReadonlyMap<string, Exported>): Violation[] {
  const declarations = [...exported.values()].flatMap(({ name, node }) => (node === undefined ? [] : [{ name, node }]));
  const isMaker = (name: string) => /^(from|existing)[A-Z]?/.test(name);
  const makers = declarations.flatMap(({ name, node }) => {
    if (ts.isFunctionDeclaration(node) && isMaker(name)) return [{ where: name, type: node.type?.getText() }];
    if (!ts.isClassDeclaration(node)) return [];
    return node.members
      .filter((each) => ts.isMethodDeclaration(each) && has(each, ts.SyntaxKind.StaticKeyword))
      .filter((each) => isMaker(each.name?.getText() ?? ""))
      .map((each) => ({
        where: `${name}.${each.name?.getText()}`,
        type: (each as ts.MethodDeclaration).type?.getText(),
      }));
  });
  const taken = declarations.flatMap(({ node }) => {
    const types: string[] = [];
    eachNode(node, (each) => {
      const isInput = ts.isParameter(each) || (ts.isPropertySignature(each) && ts.isInterfaceDeclaration(each.parent));
      if (isInput && each.type !== undefined) types.push(each.type.getText());
    });
    return types;
  });
  const basesOf = (type: string): string[] => {
    const node = exported.get(type)?.node;
    if (node === undefined || !(ts.isInterfaceDeclaration(node) || ts.isClassDeclaration(node))) return [];
    return (node.heritageClauses ?? []).flatMap(({ types }) => types.map(({ expression }) => expression.getText()));
  };
  // Every construct is a node; a type match on that alone proves nothing about the return type.
  const isTaken = (type: string): boolean =>
    type !== "IConstruct" &&
    (taken.some((text) => new RegExp(`\\b${type}\\b`).test(text)) || basesOf(type).some(isTaken));
  return makers.flatMap(({ where, type = "nothing" }) =>
    isTaken(type) ? [] : [{ rule: "C8", where, problem: `nothing takes the ${type} that it returns` }],
  );
}

/** C9: attributes are readonly, and reading one never throws. */
export function attributes(sources: Sources, exported: ReadonlyMap<string, Exported>): Violation[] {
  const bases = new Map(constructClasses(sources, exported).map(({ name, node }) => [name, node]));
  for (const source of sources.values()) {
    eachNode(source, (node) => {
      if (ts.isClassDeclaration(node) && has(node, ts.SyntaxKind.AbstractKeyword)) bases.set(node.name!.text, node);
    });
  }
  return [...bases].flatMap(([name, node]) =>
    node.members.flatMap((member): Violation[] => {
      const hidden =
        member.name === undefined ||
        ts.isPrivateIdentifier(member.name) ||
        (ts.canHaveModifiers(member) &&
          (has(member, ts.SyntaxKind.PrivateKeyword) || has(member, ts.SyntaxKind.ProtectedKeyword)));
      if (hidden) return [];
      const where = `${name}.${member.name.getText()}`;
      if (ts.isPropertyDeclaration(member) && !has(member, ts.SyntaxKind.ReadonlyKeyword)) {
        return [{ rule: "C9", where, problem: "is not readonly" }];
      }
      let throws = false;
      if (ts.isGetAccessorDeclaration(member)) eachNode(member, (inner) => (throws ||= ts.isThrowStatement(inner)));
      return throws ? [{ rule: "C9", where, problem: "is a getter that throws" }] : [];
    }),
  );
}

/** C11: a comment in the line above justifies access to everything. */
export function everyResource(sources: Sources): Violation[] {
  const found: Violation[] = [];
  for (const [path, source] of sources) {
    eachNode(source, (node) => {
      if (!ts.isPropertyAssignment(node) || !/^resources$/i.test(node.name.getText())) return;
      if (!ts.isArrayLiteralExpression(node.initializer)) return;
      if (!node.initializer.elements.some((each) => ts.isStringLiteral(each) && each.text === "*")) return;
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      const around = source.text.split("\n").slice(Math.max(0, line - 3), line + 1);
      if (!around.some((each) => /\/\/|\*\//.test(each))) {
        found.push({ rule: "C11", where: path, problem: `line ${line + 1} allows "*" and does not say why` });
      }
    });
  }
  return found;
}

/** A code that something is refused or warned with, and the files that use it. */
export type Codes = ReadonlyMap<string, ReadonlySet<string>>;

/** All codes that the sources refuse or warn with. */
export function codesOf(sources: Sources): Codes {
  const codes = new Map<string, Set<string>>();
  const add = (code: string, path: string) => codes.set(code, (codes.get(code) ?? new Set()).add(path));
  for (const [path, source] of sources) {
    eachNode(source, (node) => {
      if (ts.isPropertyAssignment(node) && node.name.getText() === "code" && ts.isStringLiteral(node.initializer)) {
        const problem = node.parent.properties.some(({ name }) => ["prop", "remedy"].includes(name?.getText() ?? ""));
        if (problem) add(node.initializer.text, path);
      }
      if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node) || ts.isTemplateTail(node)) {
        const code = / {2}\[([A-Za-z0-9_]+)\]$/.exec(node.text)?.[1];
        if (code !== undefined) add(code, path);
      }
    });
  }
  return codes;
}

/** C19: UPPER_SNAKE, of one family, and seen in some test. */
export function codes(found: Codes, tests: string): Violation[] {
  const words = new Set(tests.match(/[A-Z][A-Z0-9_]+/g) ?? []);
  return [...found].flatMap(([code, paths]) => {
    const families = new Set([...paths].map((path) => path.split("/")[1]));
    const violation = (problem: string): Violation => ({ rule: "C19", where: code, problem });
    return [
      ...(/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/.test(code) ? [] : [violation("is not UPPER_SNAKE")]),
      ...(families.size > 1 ? [violation(`has a meaning in each of ${[...families].join(", ")}`)] : []),
      ...(words.has(code) ? [] : [violation(`is refused by no test (${[...paths].join(", ")})`)]),
    ];
  });
}

/** C21: what it is, an example, a source, what it costs. */
export function docs(sources: Sources, exported: ReadonlyMap<string, Exported>): Violation[] {
  return constructClasses(sources, exported).flatMap(({ name, node }) => {
    const { first, text, tags } = docOf(node);
    const missing = [
      ...(/^[A-Z].*[.:]$/s.test(first) ? [] : ["a first sentence"]),
      ...(tags.has("example") ? [] : ["@example"]),
      ...(tags.has("see") ? [] : ["@see"]),
      ...(/\b(costs?|free)\b/i.test(text) ? [] : ["what it costs"]),
    ];
    return missing.length === 0 ? [] : [{ rule: "C21", where: name, problem: `lacks ${missing.join(", ")}` }];
  });
}

/** Everything exported says what it is, except what its own name says. */
export function undocumented(exported: ReadonlyMap<string, Exported>): Violation[] {
  return [...exported.values()]
    .filter(({ node }) => node !== undefined && (ts.isClassDeclaration(node) || ts.isFunctionDeclaration(node)))
    .filter(({ node }) => docOf(node!).first === "")
    .map(({ name }) => ({ rule: "C21", where: name, problem: "has no docs" }));
}
