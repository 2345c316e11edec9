import * as declared from "../index.ts";
import { TableIsolation } from "./declare.ts";

/** Every table's declaration. */
export const isolations = Object.values(declared).filter((value) => value instanceof TableIsolation);
