CREATE TABLE "identity" (
	"id" text collate "C" PRIMARY KEY NOT NULL,
	"user_id" text collate "C" NOT NULL,
	"provider_id" text NOT NULL,
	"account_id" text NOT NULL,
	"access_token" text,
	"refresh_token" text,
	"id_token" text,
	"access_token_expires_at" timestamp (3) with time zone,
	"refresh_token_expires_at" timestamp (3) with time zone,
	"scope" text,
	"password" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "identity_provider_account_unique" UNIQUE("provider_id","account_id")
);
--> statement-breakpoint
ALTER TABLE "identity" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "rate_limit" (
	"id" text collate "C" PRIMARY KEY NOT NULL,
	"key" text NOT NULL,
	"count" integer NOT NULL,
	"last_request" bigint NOT NULL,
	CONSTRAINT "rate_limit_key_unique" UNIQUE("key")
);
--> statement-breakpoint
ALTER TABLE "rate_limit" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "session" (
	"id" text collate "C" PRIMARY KEY NOT NULL,
	"token" text NOT NULL,
	"user_id" text collate "C" NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"ip_address" text,
	"user_agent" text,
	"active_organization_id" text collate "C",
	"impersonated_by" text collate "C",
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "session_token_unique" UNIQUE("token")
);
--> statement-breakpoint
ALTER TABLE "session" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "user" (
	"id" text collate "C" PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"email" text NOT NULL,
	"email_verified" boolean DEFAULT false NOT NULL,
	"image" text,
	"is_anonymous" boolean DEFAULT false NOT NULL,
	"role" text DEFAULT 'user' NOT NULL,
	"banned" boolean DEFAULT false NOT NULL,
	"ban_reason" text,
	"ban_expires" timestamp (3) with time zone,
	"two_factor_enabled" boolean DEFAULT false NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "user_email_unique" UNIQUE("email"),
	CONSTRAINT "user_id_email_unique" UNIQUE("id","email"),
	CONSTRAINT "user_email_lower_check" CHECK ("user"."email" = lower("user"."email")),
	CONSTRAINT "user_role_check" CHECK ("user"."role" in ('user', 'support', 'admin'))
);
--> statement-breakpoint
ALTER TABLE "user" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "verification" (
	"id" text collate "C" PRIMARY KEY NOT NULL,
	"identifier" text NOT NULL,
	"value" text NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "verification" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "member" (
	"id" text collate "C" PRIMARY KEY NOT NULL,
	"organization_id" text collate "C" NOT NULL,
	"user_id" text collate "C" NOT NULL,
	"role" text DEFAULT 'member' NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "member_organization_user_unique" UNIQUE("organization_id","user_id"),
	CONSTRAINT "member_role_check" CHECK ("member"."role" in ('owner', 'admin', 'member', 'viewer'))
);
--> statement-breakpoint
ALTER TABLE "member" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "organization" (
	"id" text collate "C" PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"slug" text NOT NULL,
	"logo" text,
	"metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"deleted_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "organization_slug_unique" UNIQUE("slug")
);
--> statement-breakpoint
ALTER TABLE "organization" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "resume" (
	"id" text collate "C" PRIMARY KEY NOT NULL,
	"user_id" text collate "C" NOT NULL,
	"user_email" text NOT NULL,
	"name" text NOT NULL,
	"slug" text NOT NULL,
	"data" jsonb NOT NULL,
	"public_data" jsonb NOT NULL,
	"hidden" text[] DEFAULT '{"email","phone","address"}' NOT NULL,
	"template" text DEFAULT 'classic' NOT NULL,
	"is_public" boolean DEFAULT false NOT NULL,
	"views" integer DEFAULT 0 NOT NULL,
	"downloads" integer DEFAULT 0 NOT NULL,
	"thumbnail_url" text,
	"version" integer DEFAULT 1 NOT NULL,
	"deleted_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "resume_slug_unique" UNIQUE("slug"),
	CONSTRAINT "resume_slug_check" CHECK ("resume"."slug" ~ '^[a-z0-9-]{3,80}$'),
	CONSTRAINT "resume_name_check" CHECK (char_length("resume"."name") between 1 and 100),
	CONSTRAINT "resume_template_check" CHECK ("resume"."template" in ('classic', 'compact'))
);
--> statement-breakpoint
ALTER TABLE "resume" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "resume_visit" (
	"resume_id" text collate "C" NOT NULL,
	"kind" text NOT NULL,
	"day" date NOT NULL,
	"visitor" text NOT NULL,
	CONSTRAINT "resume_visit_kind_check" CHECK ("resume_visit"."kind" in ('view', 'download'))
);
--> statement-breakpoint
ALTER TABLE "resume_visit" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "identity" ADD CONSTRAINT "identity_user_id_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."user"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "session" ADD CONSTRAINT "session_user_id_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."user"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "session" ADD CONSTRAINT "session_impersonated_by_user_id_fk" FOREIGN KEY ("impersonated_by") REFERENCES "public"."user"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "member" ADD CONSTRAINT "member_organization_id_organization_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organization"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "member" ADD CONSTRAINT "member_user_id_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."user"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "resume" ADD CONSTRAINT "resume_user_fk" FOREIGN KEY ("user_id","user_email") REFERENCES "public"."user"("id","email") ON DELETE cascade ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "resume_visit" ADD CONSTRAINT "resume_visit_resume_id_resume_id_fk" FOREIGN KEY ("resume_id") REFERENCES "public"."resume"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "identity_user_idx" ON "identity" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "session_user_idx" ON "session" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "session_impersonated_by_idx" ON "session" USING btree ("impersonated_by");--> statement-breakpoint
CREATE INDEX "verification_identifier_idx" ON "verification" USING btree ("identifier");--> statement-breakpoint
CREATE INDEX "member_user_idx" ON "member" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "resume_user_idx" ON "resume" USING btree ("user_id","id");--> statement-breakpoint
CREATE INDEX "resume_user_email_idx" ON "resume" USING btree ("user_email");--> statement-breakpoint
CREATE UNIQUE INDEX "resume_user_name_unique" ON "resume" USING btree ("user_id","name") WHERE "resume"."deleted_at" is null;--> statement-breakpoint
CREATE INDEX "resume_deleted_at_idx" ON "resume" USING btree ("deleted_at") WHERE "resume"."deleted_at" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "resume_visit_unique" ON "resume_visit" USING btree ("resume_id","kind","day","visitor");--> statement-breakpoint
CREATE INDEX "resume_visit_day_idx" ON "resume_visit" USING btree ("day");--> statement-breakpoint
CREATE POLICY "identity_auth_flows_policy" ON "identity" AS PERMISSIVE FOR ALL TO "app_direct" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "identity_view_own_policy" ON "identity" AS PERMISSIVE FOR SELECT TO "authenticated" USING ("identity"."user_id" = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "rate_limit_auth_flows_policy" ON "rate_limit" AS PERMISSIVE FOR ALL TO "app_direct" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "session_auth_flows_policy" ON "session" AS PERMISSIVE FOR ALL TO "app_direct" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "session_resolver_policy" ON "session" AS PERMISSIVE FOR SELECT TO "auth_resolver" USING (true);--> statement-breakpoint
CREATE POLICY "session_view_own_policy" ON "session" AS PERMISSIVE FOR SELECT TO "authenticated" USING ("session"."user_id" = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "session_delete_own_policy" ON "session" AS PERMISSIVE FOR DELETE TO "authenticated" USING ("session"."user_id" = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "user_auth_flows_policy" ON "user" AS PERMISSIVE FOR ALL TO "app_direct" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "user_resolver_policy" ON "user" AS PERMISSIVE FOR SELECT TO "auth_resolver" USING (true);--> statement-breakpoint
CREATE POLICY "user_view_own_policy" ON "user" AS PERMISSIVE FOR SELECT TO "authenticated" USING ("user"."id" = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "user_update_own_policy" ON "user" AS PERMISSIVE FOR UPDATE TO "authenticated" USING ("user"."id" = (select auth.uid())) WITH CHECK ("user"."id" = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "user_delete_own_policy" ON "user" AS PERMISSIVE FOR DELETE TO "authenticated" USING ("user"."id" = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "user_view_support_policy" ON "user" AS PERMISSIVE FOR SELECT TO "support" USING (true);--> statement-breakpoint
CREATE POLICY "user_admin_policy" ON "user" AS PERMISSIVE FOR ALL TO "admin" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "user_service_policy" ON "user" AS PERMISSIVE FOR SELECT TO "service" USING (true);--> statement-breakpoint
CREATE POLICY "verification_auth_flows_policy" ON "verification" AS PERMISSIVE FOR ALL TO "app_direct" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "member_resolver_policy" ON "member" AS PERMISSIVE FOR SELECT TO "auth_resolver" USING (true);--> statement-breakpoint
CREATE POLICY "member_view_policy" ON "member" AS PERMISSIVE FOR SELECT TO "authenticated" USING ("member"."organization_id" = (select auth.org()) or "member"."user_id" = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "member_view_staff_policy" ON "member" AS PERMISSIVE FOR SELECT TO "admin", "support" USING (true);--> statement-breakpoint
CREATE POLICY "member_service_policy" ON "member" AS PERMISSIVE FOR SELECT TO "service" USING (true);--> statement-breakpoint
CREATE POLICY "organization_resolver_policy" ON "organization" AS PERMISSIVE FOR SELECT TO "auth_resolver" USING (true);--> statement-breakpoint
CREATE POLICY "organization_view_own_policy" ON "organization" AS PERMISSIVE FOR SELECT TO "authenticated" USING ("organization"."id" = (select auth.org()));--> statement-breakpoint
CREATE POLICY "organization_view_staff_policy" ON "organization" AS PERMISSIVE FOR SELECT TO "admin", "support" USING (true);--> statement-breakpoint
CREATE POLICY "organization_service_policy" ON "organization" AS PERMISSIVE FOR SELECT TO "service" USING (true);--> statement-breakpoint
CREATE POLICY "resume_public_policy" ON "resume" AS PERMISSIVE FOR SELECT TO "app_cached", "app_direct" USING ("resume"."is_public" and "resume"."deleted_at" is null);--> statement-breakpoint
CREATE POLICY "resume_own_policy" ON "resume" AS PERMISSIVE FOR ALL TO "authenticated" USING ("resume"."user_id" = (select auth.uid())) WITH CHECK ("resume"."user_id" = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "resume_view_staff_policy" ON "resume" AS PERMISSIVE FOR SELECT TO "admin", "support" USING (true);--> statement-breakpoint
CREATE POLICY "resume_service_policy" ON "resume" AS PERMISSIVE FOR ALL TO "service" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "resume_visit_service_policy" ON "resume_visit" AS PERMISSIVE FOR ALL TO "service" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "resume_visit_own_policy" ON "resume_visit" AS PERMISSIVE FOR SELECT TO "authenticated" USING (exists (select from "resume" where ("resume"."id" = "resume_visit"."resume_id" and "resume"."user_id" = (select auth.uid()))));