CREATE TABLE "api_key" (
	"id" text collate "C" PRIMARY KEY NOT NULL,
	"user_id" text collate "C",
	"organization_id" text collate "C",
	"name" text NOT NULL,
	"prefix" text NOT NULL,
	"last_four" text NOT NULL,
	"key_hash" text collate "C" NOT NULL,
	"scopes" text[] NOT NULL,
	"expires_at" timestamp (3) with time zone,
	"revoked_at" timestamp (3) with time zone,
	"last_used_at" timestamp (3) with time zone,
	"created_by" text collate "C",
	"replaced_by" text collate "C",
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "api_key_owner_check" CHECK (num_nonnulls("api_key"."user_id", "api_key"."organization_id") = 1),
	CONSTRAINT "api_key_name_check" CHECK (char_length("api_key"."name") between 1 and 100),
	CONSTRAINT "api_key_prefix_check" CHECK ("api_key"."prefix" in ('fl_live', 'fl_test')),
	CONSTRAINT "api_key_last_four_check" CHECK (char_length("api_key"."last_four") = 4),
	CONSTRAINT "api_key_hash_check" CHECK ("api_key"."key_hash" ~ '^[A-Za-z0-9_-]{43}$')
);
--> statement-breakpoint
ALTER TABLE "api_key" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "usage_counter" (
	"owner" text collate "C" NOT NULL,
	"metric" text NOT NULL,
	"period" text NOT NULL,
	"period_start" timestamp (3) with time zone NOT NULL,
	"ends_at" timestamp (3) with time zone NOT NULL,
	"used" bigint NOT NULL,
	CONSTRAINT "usage_counter_pkey" PRIMARY KEY("owner","metric","period","period_start"),
	CONSTRAINT "usage_counter_period_check" CHECK ("usage_counter"."period" in ('minute', 'hour', 'day', 'month'))
);
--> statement-breakpoint
ALTER TABLE "usage_counter" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "usage_event" (
	"id" text collate "C" PRIMARY KEY NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "usage_event" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "usage_limit" (
	"id" text collate "C" PRIMARY KEY NOT NULL,
	"user_id" text collate "C",
	"organization_id" text collate "C",
	"metric" text NOT NULL,
	"period" text NOT NULL,
	"max" bigint NOT NULL,
	"hard" boolean DEFAULT true NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "usage_limit_owner_check" CHECK (num_nonnulls("usage_limit"."user_id", "usage_limit"."organization_id") = 1),
	CONSTRAINT "usage_limit_metric_check" CHECK ("usage_limit"."metric" ~ '^[a-z][a-z0-9_.]{0,49}$'),
	CONSTRAINT "usage_limit_period_check" CHECK ("usage_limit"."period" in ('minute', 'hour', 'day', 'month')),
	CONSTRAINT "usage_limit_max_check" CHECK ("usage_limit"."max" between 0 and 9007199254740991)
);
--> statement-breakpoint
ALTER TABLE "usage_limit" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "usage_record" (
	"id" text collate "C" PRIMARY KEY NOT NULL,
	"user_id" text collate "C",
	"organization_id" text collate "C",
	"key_id" text collate "C" NOT NULL,
	"metric" text NOT NULL,
	"quantity" bigint NOT NULL,
	"period_start" timestamp (3) with time zone NOT NULL,
	"dimension" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "usage_record_owner_check" CHECK (num_nonnulls("usage_record"."user_id", "usage_record"."organization_id") = 1),
	CONSTRAINT "usage_record_metric_check" CHECK ("usage_record"."metric" ~ '^[a-z][a-z0-9_.]{0,49}$'),
	CONSTRAINT "usage_record_quantity_check" CHECK ("usage_record"."quantity" between 1 and 9007199254740991)
);
--> statement-breakpoint
ALTER TABLE "usage_record" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "api_key" ADD CONSTRAINT "api_key_user_id_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."user"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "api_key" ADD CONSTRAINT "api_key_organization_id_organization_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organization"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "api_key" ADD CONSTRAINT "api_key_created_by_user_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."user"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "usage_limit" ADD CONSTRAINT "usage_limit_user_id_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."user"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "usage_limit" ADD CONSTRAINT "usage_limit_organization_id_organization_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organization"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "usage_record" ADD CONSTRAINT "usage_record_user_id_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."user"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "usage_record" ADD CONSTRAINT "usage_record_organization_id_organization_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organization"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "api_key_hash_unique" ON "api_key" USING btree ("key_hash");--> statement-breakpoint
CREATE INDEX "api_key_user_idx" ON "api_key" USING btree ("user_id","id");--> statement-breakpoint
CREATE INDEX "api_key_organization_idx" ON "api_key" USING btree ("organization_id","id");--> statement-breakpoint
CREATE INDEX "api_key_created_by_idx" ON "api_key" USING btree ("created_by");--> statement-breakpoint
CREATE INDEX "api_key_expires_at_idx" ON "api_key" USING btree ("expires_at") WHERE "api_key"."expires_at" is not null;--> statement-breakpoint
CREATE INDEX "api_key_revoked_at_idx" ON "api_key" USING btree ("revoked_at") WHERE "api_key"."revoked_at" is not null;--> statement-breakpoint
CREATE INDEX "usage_counter_ends_at_idx" ON "usage_counter" USING btree ("ends_at");--> statement-breakpoint
CREATE INDEX "usage_event_created_idx" ON "usage_event" USING btree ("created_at");--> statement-breakpoint
CREATE UNIQUE INDEX "usage_limit_user_unique" ON "usage_limit" USING btree ("user_id","metric","period","hard") WHERE "usage_limit"."user_id" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "usage_limit_organization_unique" ON "usage_limit" USING btree ("organization_id","metric","period","hard") WHERE "usage_limit"."organization_id" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "usage_record_key_unique" ON "usage_record" USING btree ("key_id","metric","period_start","dimension");--> statement-breakpoint
CREATE INDEX "usage_record_user_idx" ON "usage_record" USING btree ("user_id","period_start","key_id","metric");--> statement-breakpoint
CREATE INDEX "usage_record_organization_idx" ON "usage_record" USING btree ("organization_id","period_start","key_id","metric");--> statement-breakpoint
CREATE INDEX "usage_record_period_start_idx" ON "usage_record" USING btree ("period_start");--> statement-breakpoint
CREATE POLICY "api_key_resolver_policy" ON "api_key" AS PERMISSIVE FOR SELECT TO "auth_resolver" USING (true);--> statement-breakpoint
CREATE POLICY "api_key_view_policy" ON "api_key" AS PERMISSIVE FOR SELECT TO "authenticated" USING ((("api_key"."user_id" = (select auth.uid()) or "api_key"."organization_id" = (select auth.org())) and (select auth.key()) is null));--> statement-breakpoint
CREATE POLICY "api_key_insert_policy" ON "api_key" AS PERMISSIVE FOR INSERT TO "authenticated" WITH CHECK ((("api_key"."user_id" = (select auth.uid()) or "api_key"."organization_id" = (select auth.org())) and (select auth.key()) is null and "api_key"."created_by" = (select auth.uid())));--> statement-breakpoint
CREATE POLICY "api_key_update_policy" ON "api_key" AS PERMISSIVE FOR UPDATE TO "authenticated" USING ((("api_key"."user_id" = (select auth.uid()) or "api_key"."organization_id" = (select auth.org())) and (select auth.key()) is null)) WITH CHECK ((("api_key"."user_id" = (select auth.uid()) or "api_key"."organization_id" = (select auth.org())) and (select auth.key()) is null));--> statement-breakpoint
CREATE POLICY "api_key_view_staff_policy" ON "api_key" AS PERMISSIVE FOR SELECT TO "admin", "support" USING (true);--> statement-breakpoint
CREATE POLICY "api_key_service_policy" ON "api_key" AS PERMISSIVE FOR ALL TO "service" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "usage_counter_resolver_policy" ON "usage_counter" AS PERMISSIVE FOR ALL TO "auth_resolver" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "usage_counter_view_policy" ON "usage_counter" AS PERMISSIVE FOR SELECT TO "authenticated" USING (("usage_counter"."owner" = (select auth.uid()) or "usage_counter"."owner" = (select auth.org())));--> statement-breakpoint
CREATE POLICY "usage_counter_view_staff_policy" ON "usage_counter" AS PERMISSIVE FOR SELECT TO "admin", "support" USING (true);--> statement-breakpoint
CREATE POLICY "usage_counter_service_policy" ON "usage_counter" AS PERMISSIVE FOR ALL TO "service" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "usage_event_service_policy" ON "usage_event" AS PERMISSIVE FOR ALL TO "service" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "usage_limit_resolver_policy" ON "usage_limit" AS PERMISSIVE FOR SELECT TO "auth_resolver" USING (true);--> statement-breakpoint
CREATE POLICY "usage_limit_view_policy" ON "usage_limit" AS PERMISSIVE FOR SELECT TO "authenticated" USING (("usage_limit"."user_id" = (select auth.uid()) or "usage_limit"."organization_id" = (select auth.org())));--> statement-breakpoint
CREATE POLICY "usage_limit_view_support_policy" ON "usage_limit" AS PERMISSIVE FOR SELECT TO "support" USING (true);--> statement-breakpoint
CREATE POLICY "usage_limit_admin_policy" ON "usage_limit" AS PERMISSIVE FOR ALL TO "admin" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "usage_limit_service_policy" ON "usage_limit" AS PERMISSIVE FOR ALL TO "service" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "usage_record_view_policy" ON "usage_record" AS PERMISSIVE FOR SELECT TO "authenticated" USING (("usage_record"."user_id" = (select auth.uid()) or "usage_record"."organization_id" = (select auth.org())));--> statement-breakpoint
CREATE POLICY "usage_record_view_staff_policy" ON "usage_record" AS PERMISSIVE FOR SELECT TO "admin", "support" USING (true);--> statement-breakpoint
CREATE POLICY "usage_record_service_policy" ON "usage_record" AS PERMISSIVE FOR ALL TO "service" USING (true) WITH CHECK (true);--> statement-breakpoint
ALTER TABLE "api_key" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "usage_counter" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "usage_event" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "usage_limit" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "usage_record" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
GRANT SELECT ("id", "user_id", "organization_id", "name", "prefix", "last_four", "scopes", "expires_at", "revoked_at", "last_used_at", "created_by", "replaced_by", "created_at", "updated_at") ON "api_key" TO "admin";--> statement-breakpoint
GRANT SELECT ("id", "user_id", "organization_id", "key_hash", "scopes", "expires_at", "revoked_at", "created_by") ON "api_key" TO "auth_resolver";--> statement-breakpoint
GRANT SELECT ("id", "user_id", "organization_id", "name", "prefix", "last_four", "scopes", "expires_at", "revoked_at", "last_used_at", "created_by", "replaced_by", "created_at", "updated_at"), INSERT, UPDATE ("name", "scopes", "expires_at", "revoked_at", "created_by", "replaced_by", "updated_at") ON "api_key" TO "authenticated";--> statement-breakpoint
GRANT SELECT ("id", "user_id", "organization_id", "name", "prefix", "last_four", "scopes", "expires_at", "revoked_at", "last_used_at", "created_by", "replaced_by", "created_at", "updated_at"), UPDATE ("last_used_at", "updated_at"), DELETE ON "api_key" TO "service";--> statement-breakpoint
GRANT SELECT ("id", "user_id", "organization_id", "name", "prefix", "last_four", "scopes", "expires_at", "revoked_at", "last_used_at", "created_by", "replaced_by", "created_at", "updated_at") ON "api_key" TO "support";--> statement-breakpoint
GRANT SELECT ON "usage_counter" TO "admin";--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ("used") ON "usage_counter" TO "auth_resolver";--> statement-breakpoint
GRANT SELECT ON "usage_counter" TO "authenticated";--> statement-breakpoint
GRANT SELECT, DELETE ON "usage_counter" TO "service";--> statement-breakpoint
GRANT SELECT ON "usage_counter" TO "support";--> statement-breakpoint
GRANT SELECT, INSERT, DELETE ON "usage_event" TO "service";--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ("max", "updated_at"), DELETE ON "usage_limit" TO "admin";--> statement-breakpoint
GRANT SELECT ("user_id", "organization_id", "metric", "period", "max", "hard") ON "usage_limit" TO "auth_resolver";--> statement-breakpoint
GRANT SELECT ON "usage_limit" TO "authenticated";--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ("max", "updated_at"), DELETE ON "usage_limit" TO "service";--> statement-breakpoint
GRANT SELECT ON "usage_limit" TO "support";--> statement-breakpoint
GRANT SELECT ON "usage_record" TO "admin";--> statement-breakpoint
GRANT SELECT ON "usage_record" TO "authenticated";--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ("quantity", "updated_at"), DELETE ON "usage_record" TO "service";--> statement-breakpoint
GRANT SELECT ON "usage_record" TO "support";
