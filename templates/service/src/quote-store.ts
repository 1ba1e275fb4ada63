import type { Postgres } from "./backing/postgres";
import type { Quote } from "./quotes";

/** Storage of quotes. */
export interface QuoteStore {
  /** Stores a quote. An existing one is not changed. */
  insert(quote: Quote): Promise<void>;
  find(id: string): Promise<Quote | undefined>;
  /** Returns quotes, the latest first. */
  latest(limit: number): Promise<Quote[]>;
}

interface Row {
  readonly id: string;
  readonly created_at: Date;
  readonly lines: Quote["lines"];
  readonly total_cents: string;
}

const fromRow = ({ id, created_at, lines, total_cents }: Row): Quote => ({
  id,
  createdAt: created_at.toISOString(),
  lines,
  totalCents: Number(total_cents),
});

export function quoteStore(postgres: Postgres): QuoteStore {
  return {
    async insert({ id, createdAt, lines, totalCents }) {
      const text =
        "insert into quotes (id, created_at, lines, total_cents) values ($1, $2, $3, $4) on conflict do nothing";
      await postgres.query(text, [id, createdAt, JSON.stringify(lines), totalCents]);
    },
    async find(id) {
      const [row] = await postgres.query<Row>("select * from quotes where id = $1", [id]);
      return row && fromRow(row);
    },
    async latest(limit) {
      const rows = await postgres.query<Row>("select * from quotes order by created_at desc, id limit $1", [limit]);
      return rows.map(fromRow);
    },
  };
}
