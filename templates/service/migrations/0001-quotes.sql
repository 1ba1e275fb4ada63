create table quotes (
  id uuid primary key,
  created_at timestamptz not null,
  lines jsonb not null,
  total_cents bigint not null check (total_cents >= 0)
);
create index quotes_latest on quotes (created_at desc, id);
