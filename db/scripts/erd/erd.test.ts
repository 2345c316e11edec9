import { foreignKey, integer, pgTable, primaryKey, text, unique } from "drizzle-orm/pg-core";
import { expect, test } from "vitest";
import { schema } from "../../index.ts";
import { drawSchema } from "../erd.ts";
import { toMermaid } from "./mermaid.ts";
import { modelOf } from "./model.ts";

const port = pgTable("port", { code: text().primaryKey(), country: text().notNull() }, (table) => [
  unique().on(table.country),
]);
const ship = pgTable("ship", { id: integer().primaryKey(), homePort: text().references(() => port.code) });
const berth = pgTable(
  "berth",
  { portCode: text().notNull(), number: integer().notNull(), shipId: integer().notNull().unique() },
  (table) => [
    primaryKey({ columns: [table.portCode, table.number] }),
    foreignKey({ columns: [table.shipId], foreignColumns: [ship.id] }),
    foreignKey({ columns: [table.portCode], foreignColumns: [port.code] }),
  ],
);

test("a diagram has keys, nullable columns, and who refers to whom how often", () => {
  expect(toMermaid(modelOf({ ship, berth, notATable: 1 }))).toBe(`erDiagram
  ship {
    integer id PK
    text home_port FK "nullable"
  }
  berth {
    text port_code PK, FK
    integer number PK
    integer ship_id FK, UK
  }
  port {
    text code PK
  }
  port |o--o{ ship : "home_port"
  ship ||--o| berth : "ship_id"
  port ||--o{ berth : "port_code"`);
});

test("every table and every foreign key of the schema is drawn, in both forms", async () => {
  const files = await drawSchema();
  const { tables, references } = modelOf(schema);
  const texts = (end: string) => [...files].filter(([name]) => name.endsWith(end)).map(([, text]) => text);
  expect(tables.length).toBeGreaterThan(10);
  for (const { name } of tables) {
    expect(
      texts(".mmd").filter((text) => text.includes(`  ${name} {\n`)),
      name,
    ).not.toEqual([]);
    expect(
      texts(".svg").filter((text) => text.includes(`>${name}</text>`)),
      name,
    ).not.toEqual([]);
  }
  const drawn = texts(".mmd")
    .join("")
    .match(/ (\|o|\|\|)--/g);
  expect(drawn).toHaveLength(references.length);
  expect(
    texts(".svg")
      .join("")
      .match(/<g id="edge\d+"/g),
  ).toHaveLength(references.length);
});

test("drawing again gives the same bytes", async () => {
  expect(await drawSchema()).toEqual(await drawSchema());
});
