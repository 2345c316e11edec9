CREATE TABLE "idempotency_key" (
	"caller" text collate "C" NOT NULL,
	"organization" text collate "C" NOT NULL,
	"procedure" text NOT NULL,
	"key" text NOT NULL,
	"step" integer NOT NULL,
	"payload_hash" text NOT NULL,
	"answer" jsonb,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "idempotency_key_pkey" PRIMARY KEY("caller","organization","procedure","key","step")
);
--> statement-breakpoint
ALTER TABLE "idempotency_key" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE INDEX "idempotency_key_created_idx" ON "idempotency_key" USING btree ("created_at");--> statement-breakpoint
CREATE POLICY "idempotency_key_own_policy" ON "idempotency_key" AS PERMISSIVE FOR ALL TO "admin", "authenticated", "support" USING ("idempotency_key"."caller" = (select auth.uid())) WITH CHECK ("idempotency_key"."caller" = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "idempotency_key_service_policy" ON "idempotency_key" AS PERMISSIVE FOR ALL TO "service" USING (true) WITH CHECK (true);--> statement-breakpoint
ALTER TABLE "idempotency_key" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ("answer") ON "idempotency_key" TO "admin";--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ("answer") ON "idempotency_key" TO "authenticated";--> statement-breakpoint
GRANT SELECT ("created_at"), DELETE ON "idempotency_key" TO "service";--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ("answer") ON "idempotency_key" TO "support";
