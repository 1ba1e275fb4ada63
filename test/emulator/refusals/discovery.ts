import { type Case, cluster, create, discovery, ecs } from "./account";

const namespaceId = async (name: string): Promise<string> => {
  await discovery("CreateHttpNamespace", { Name: name });
  const { Namespaces } = await discovery("ListNamespaces", {});
  return Namespaces.find((each: { Name: string }) => each.Name === name).Id;
};

export const cases: Record<string, Case> = {
  // Discovery
  "cloud-map-service-in-use": {
    given: async () => {
      const { subnets, service } = await cluster();
      const id = await namespaceId("shop");
      const { Service } = await discovery("CreateService", { Name: "web", NamespaceId: id });
      await create(service, { serviceRegistries: [{ registryArn: Service.Arn }] });
      return { Service, subnets };
    },
    refused: ({ Service }) => discovery("DeleteService", { Id: Service.Id }),
    accepted: async ({ Service }) => {
      await ecs("DeleteService", { cluster: "main", service: "web", force: true });
      return discovery("DeleteService", { Id: Service.Id });
    },
  },
  "cloud-map-namespace-in-use": {
    given: async () => {
      const id = await namespaceId("shop");
      return { id, service: await discovery("CreateService", { Name: "web", NamespaceId: id }) };
    },
    refused: ({ id }) => discovery("DeleteNamespace", { Id: id }),
    accepted: async ({ id, service }) => {
      await discovery("DeleteService", { Id: service.Service.Id });
      return discovery("DeleteNamespace", { Id: id });
    },
  },
  "cloud-map-service-exists": {
    given: async () => {
      const id = await namespaceId("shop");
      await discovery("CreateService", { Name: "web", NamespaceId: id });
      return id;
    },
    refused: (id) => discovery("CreateService", { Name: "web", NamespaceId: id }),
    accepted: (id) => discovery("CreateService", { Name: "api", NamespaceId: id }),
  },
};
