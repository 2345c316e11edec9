CREATE TABLE "passkey" (
	"id" text collate "C" PRIMARY KEY NOT NULL,
	"name" text,
	"public_key" text NOT NULL,
	"user_id" text collate "C" NOT NULL,
	"credential_id" text NOT NULL,
	"counter" bigint NOT NULL,
	"device_type" text NOT NULL,
	"backed_up" boolean NOT NULL,
	"transports" text,
	"aaguid" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "passkey_credential_id_unique" UNIQUE("credential_id")
);
--> statement-breakpoint
ALTER TABLE "passkey" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "two_factor" (
	"id" text collate "C" PRIMARY KEY NOT NULL,
	"secret" text NOT NULL,
	"backup_codes" text NOT NULL,
	"user_id" text collate "C" NOT NULL,
	"verified" boolean DEFAULT true NOT NULL,
	"failed_verification_count" integer DEFAULT 0 NOT NULL,
	"locked_until" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "two_factor_user_unique" UNIQUE("user_id")
);
--> statement-breakpoint
ALTER TABLE "two_factor" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "passkey" ADD CONSTRAINT "passkey_user_id_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."user"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "two_factor" ADD CONSTRAINT "two_factor_user_id_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."user"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "passkey_user_idx" ON "passkey" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "user_email_search_idx" ON "user" USING btree ("email" text_pattern_ops);--> statement-breakpoint
CREATE INDEX "user_name_search_idx" ON "user" USING btree (lower("name") text_pattern_ops);--> statement-breakpoint
ALTER TABLE "session" ADD CONSTRAINT "session_impersonation_check" CHECK ("session"."impersonated_by" is null or "session"."expires_at" <= "session"."created_at" + interval '60 minutes');--> statement-breakpoint
CREATE POLICY "identity_resolver_policy" ON "identity" AS PERMISSIVE FOR ALL TO "auth_resolver" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "identity_view_staff_policy" ON "identity" AS PERMISSIVE FOR SELECT TO "admin", "support" USING (true);--> statement-breakpoint
CREATE POLICY "session_view_staff_policy" ON "session" AS PERMISSIVE FOR SELECT TO "admin", "support" USING (true);--> statement-breakpoint
CREATE POLICY "session_impersonate_policy" ON "session" AS PERMISSIVE FOR INSERT TO "admin" WITH CHECK ("session"."impersonated_by" = (select auth.uid()) and exists (select from "user" where "user"."id" = "session"."user_id" and not ("user"."banned" and ("user"."ban_expires" is null or "user"."ban_expires" > now())) and ("session"."impersonated_by" is null or "user"."role" = 'user')));--> statement-breakpoint
CREATE POLICY "session_ban_policy" ON "session" AS PERMISSIVE FOR DELETE TO "admin" USING (true);--> statement-breakpoint
CREATE POLICY "user_external_policy" ON "user" AS PERMISSIVE FOR INSERT TO "auth_resolver" WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "resume_adopt_policy" ON "resume" AS PERMISSIVE FOR ALL TO "auth_resolver" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "passkey_auth_flows_policy" ON "passkey" AS PERMISSIVE FOR ALL TO "app_direct" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "passkey_view_own_policy" ON "passkey" AS PERMISSIVE FOR SELECT TO "authenticated" USING ("passkey"."user_id" = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "passkey_view_staff_policy" ON "passkey" AS PERMISSIVE FOR SELECT TO "admin", "support" USING (true);--> statement-breakpoint
CREATE POLICY "two_factor_auth_flows_policy" ON "two_factor" AS PERMISSIVE FOR ALL TO "app_direct" USING (true) WITH CHECK (true);--> statement-breakpoint
ALTER POLICY "session_auth_flows_policy" ON "session" TO app_direct USING ("session"."expires_at" <= now() or ("session"."impersonated_by" is null and exists (select from "user" where "user"."id" = "session"."user_id" and not ("user"."banned" and ("user"."ban_expires" is null or "user"."ban_expires" > now())) and ("session"."impersonated_by" is null or "user"."role" = 'user')))) WITH CHECK ("session"."impersonated_by" is null);--> statement-breakpoint
ALTER POLICY "session_resolver_policy" ON "session" TO auth_resolver USING (exists (select from "user" where "user"."id" = "session"."user_id" and not ("user"."banned" and ("user"."ban_expires" is null or "user"."ban_expires" > now())) and ("session"."impersonated_by" is null or "user"."role" = 'user')) and ("session"."impersonated_by" is null or exists (select from "user" where "user"."id" = "session"."impersonated_by" and "user"."role" = 'admin' and not ("user"."banned" and ("user"."ban_expires" is null or "user"."ban_expires" > now())))));--> statement-breakpoint
ALTER TABLE "passkey" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "two_factor" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
GRANT SELECT ("id", "user_id", "provider_id", "account_id", "scope", "created_at", "updated_at") ON "identity" TO "admin";--> statement-breakpoint
GRANT SELECT ("user_id", "provider_id", "account_id"), INSERT ("id", "user_id", "provider_id", "account_id") ON "identity" TO "auth_resolver";--> statement-breakpoint
GRANT SELECT ("id", "user_id", "provider_id", "account_id", "scope", "created_at", "updated_at") ON "identity" TO "support";--> statement-breakpoint
GRANT SELECT ("id", "user_id", "name", "device_type", "backed_up", "aaguid", "created_at", "updated_at") ON "passkey" TO "admin";--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "passkey" TO "app_direct";--> statement-breakpoint
GRANT SELECT ("id", "user_id", "name", "device_type", "backed_up", "aaguid", "created_at", "updated_at") ON "passkey" TO "authenticated";--> statement-breakpoint
GRANT SELECT ("id", "user_id", "name", "device_type", "backed_up", "aaguid", "created_at", "updated_at") ON "passkey" TO "support";--> statement-breakpoint
GRANT SELECT ("id", "user_id", "name", "deleted_at"), UPDATE ("user_id", "user_email", "name", "updated_at") ON "resume" TO "auth_resolver";--> statement-breakpoint
GRANT SELECT ("id", "user_id", "expires_at", "ip_address", "user_agent", "impersonated_by", "created_at", "updated_at"), INSERT, DELETE ON "session" TO "admin";--> statement-breakpoint
GRANT SELECT ("id", "user_id", "expires_at", "ip_address", "user_agent", "impersonated_by", "created_at", "updated_at") ON "session" TO "support";--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "two_factor" TO "app_direct";--> statement-breakpoint
GRANT INSERT ("id", "name", "email", "email_verified") ON "user" TO "auth_resolver";
