import { openBacking } from "../backing";
import { runProcess } from "../process";

/** `node dist/admin/seed.js`: inserts the initial data of the database. Safe to run again. */
void runProcess(async (runtime) => {
  const backing = await openBacking(runtime);
  const lines = [{ sku: "sample", quantity: 1, unitPriceCents: 100 }];
  const id = "00000000-0000-4000-8000-000000000001";
  await backing.quotes.insert({ id, createdAt: "2020-01-01T00:00:00.000Z", lines, totalCents: 100 });
  runtime.log.info("seeded");
  await backing.close();
});
