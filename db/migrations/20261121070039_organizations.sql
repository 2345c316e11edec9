CREATE TABLE "audit_log" (
	"id" text collate "C" PRIMARY KEY NOT NULL,
	"organization_id" text collate "C",
	"actor_id" text collate "C",
	"impersonator_id" text collate "C",
	"action" text NOT NULL,
	"target" text collate "C" NOT NULL,
	"before" jsonb,
	"after" jsonb,
	"request_id" text NOT NULL,
	"ip" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "audit_log" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "invitation" (
	"id" text collate "C" PRIMARY KEY NOT NULL,
	"organization_id" text collate "C" NOT NULL,
	"email" text NOT NULL,
	"role" text NOT NULL,
	"team_id" text collate "C",
	"status" text DEFAULT 'pending' NOT NULL,
	"inviter_id" text collate "C",
	"expires_at" timestamp (3) with time zone NOT NULL,
	"accepted_at" timestamp (3) with time zone,
	"rejected_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "invitation_email_lower_check" CHECK ("invitation"."email" = lower("invitation"."email")),
	CONSTRAINT "invitation_role_check" CHECK ("invitation"."role" in ('owner', 'admin', 'member', 'viewer')),
	CONSTRAINT "invitation_status_check" CHECK ("invitation"."status" in ('pending', 'accepted', 'rejected', 'cancelled', 'expired'))
);
--> statement-breakpoint
ALTER TABLE "invitation" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "team" (
	"id" text collate "C" PRIMARY KEY NOT NULL,
	"organization_id" text collate "C" NOT NULL,
	"name" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "team_organization_unique" UNIQUE("organization_id","id"),
	CONSTRAINT "team_organization_name_unique" UNIQUE("organization_id","name"),
	CONSTRAINT "team_name_check" CHECK (char_length("team"."name") between 1 and 100)
);
--> statement-breakpoint
ALTER TABLE "team" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "team_member" (
	"organization_id" text collate "C" NOT NULL,
	"team_id" text collate "C" NOT NULL,
	"member_id" text collate "C" NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "team_member_pkey" PRIMARY KEY("organization_id","team_id","member_id")
);
--> statement-breakpoint
ALTER TABLE "team_member" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "member" DROP CONSTRAINT "member_organization_user_unique";--> statement-breakpoint
DROP INDEX "member_user_idx";--> statement-breakpoint
ALTER TABLE "organization" ADD COLUMN "member_limit" integer DEFAULT 100 NOT NULL;--> statement-breakpoint
ALTER TABLE "member" ADD CONSTRAINT "member_user_organization_unique" UNIQUE("user_id","organization_id");--> statement-breakpoint
ALTER TABLE "member" ADD CONSTRAINT "member_organization_unique" UNIQUE("organization_id","id");--> statement-breakpoint
ALTER TABLE "invitation" ADD CONSTRAINT "invitation_organization_id_organization_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organization"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "invitation" ADD CONSTRAINT "invitation_inviter_id_user_id_fk" FOREIGN KEY ("inviter_id") REFERENCES "public"."user"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "invitation" ADD CONSTRAINT "invitation_team_fk" FOREIGN KEY ("organization_id","team_id") REFERENCES "public"."team"("organization_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "team" ADD CONSTRAINT "team_organization_id_organization_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organization"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "team_member" ADD CONSTRAINT "team_member_team_fk" FOREIGN KEY ("organization_id","team_id") REFERENCES "public"."team"("organization_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "team_member" ADD CONSTRAINT "team_member_member_fk" FOREIGN KEY ("organization_id","member_id") REFERENCES "public"."member"("organization_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "audit_log_organization_idx" ON "audit_log" USING btree ("organization_id","id");--> statement-breakpoint
CREATE INDEX "audit_log_organization_actor_idx" ON "audit_log" USING btree ("organization_id","actor_id","id");--> statement-breakpoint
CREATE INDEX "audit_log_organization_target_idx" ON "audit_log" USING btree ("organization_id","target","id");--> statement-breakpoint
CREATE UNIQUE INDEX "invitation_pending_unique" ON "invitation" USING btree ("organization_id","email") WHERE "invitation"."status" = 'pending';--> statement-breakpoint
CREATE INDEX "invitation_organization_idx" ON "invitation" USING btree ("organization_id","id");--> statement-breakpoint
CREATE INDEX "invitation_team_idx" ON "invitation" USING btree ("organization_id","team_id");--> statement-breakpoint
CREATE INDEX "invitation_inviter_idx" ON "invitation" USING btree ("inviter_id");--> statement-breakpoint
CREATE INDEX "invitation_email_idx" ON "invitation" USING btree ("email","id");--> statement-breakpoint
CREATE INDEX "invitation_expires_at_idx" ON "invitation" USING btree ("expires_at") WHERE "invitation"."status" = 'pending';--> statement-breakpoint
CREATE INDEX "team_member_member_idx" ON "team_member" USING btree ("organization_id","member_id");--> statement-breakpoint
CREATE INDEX "organization_deleted_at_idx" ON "organization" USING btree ("deleted_at") WHERE "organization"."deleted_at" is not null;--> statement-breakpoint
ALTER TABLE "organization" ADD CONSTRAINT "organization_slug_check" CHECK ("organization"."slug" ~ '^[a-z0-9-]{3,80}$');--> statement-breakpoint
ALTER TABLE "organization" ADD CONSTRAINT "organization_name_check" CHECK (char_length("organization"."name") between 1 and 100);--> statement-breakpoint
ALTER TABLE "organization" ADD CONSTRAINT "organization_member_limit_check" CHECK ("organization"."member_limit" > 0);--> statement-breakpoint
DROP POLICY "member_resolver_policy" ON "member" CASCADE;--> statement-breakpoint
DROP POLICY "organization_resolver_policy" ON "organization" CASCADE;--> statement-breakpoint
DROP POLICY "organization_service_policy" ON "organization" CASCADE;--> statement-breakpoint
CREATE POLICY "session_update_own_policy" ON "session" AS PERMISSIVE FOR UPDATE TO "authenticated" USING ("session"."user_id" = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "user_view_fellows_policy" ON "user" AS PERMISSIVE FOR SELECT TO "authenticated" USING (exists (select from "member" where "member"."user_id" = "user"."id" and "member"."organization_id" = (select auth.org())));--> statement-breakpoint
CREATE POLICY "member_update_policy" ON "member" AS PERMISSIVE FOR UPDATE TO "authenticated" USING ("member"."organization_id" = (select auth.org()));--> statement-breakpoint
CREATE POLICY "member_delete_policy" ON "member" AS PERMISSIVE FOR DELETE TO "authenticated" USING ("member"."organization_id" = (select auth.org()));--> statement-breakpoint
CREATE POLICY "organization_update_policy" ON "organization" AS PERMISSIVE FOR UPDATE TO "authenticated" USING ("organization"."id" = (select auth.org()));--> statement-breakpoint
CREATE POLICY "organization_update_owned_policy" ON "organization" AS PERMISSIVE FOR UPDATE TO "authenticated" USING (exists (select from "member" where "member"."organization_id" = "organization"."id" and "member"."user_id" = (select auth.uid()) and "member"."role" = 'owner'));--> statement-breakpoint
CREATE POLICY "organization_view_invited_policy" ON "organization" AS PERMISSIVE FOR SELECT TO "authenticated" USING (exists (select from "invitation" where "invitation"."organization_id" = "organization"."id" and "invitation"."status" = 'pending' and "invitation"."email" = (select "user"."email" from "user" where "user"."id" = (select auth.uid()) and "user"."email_verified")));--> statement-breakpoint
CREATE POLICY "organization_view_joined_policy" ON "organization" AS PERMISSIVE FOR SELECT TO "authenticated" USING (exists (select from "member" where "member"."organization_id" = "organization"."id" and "member"."user_id" = (select auth.uid())));--> statement-breakpoint
CREATE POLICY "member_resolver_policy" ON "member" AS PERMISSIVE FOR ALL TO "auth_resolver" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "organization_resolver_policy" ON "organization" AS PERMISSIVE FOR ALL TO "auth_resolver" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "organization_service_policy" ON "organization" AS PERMISSIVE FOR ALL TO "service" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "audit_log_view_policy" ON "audit_log" AS PERMISSIVE FOR SELECT TO "authenticated" USING ("audit_log"."organization_id" = (select auth.org()));--> statement-breakpoint
CREATE POLICY "audit_log_view_own_policy" ON "audit_log" AS PERMISSIVE FOR SELECT TO "authenticated" USING ("audit_log"."organization_id" is null and "audit_log"."actor_id" = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "audit_log_write_policy" ON "audit_log" AS PERMISSIVE FOR INSERT TO "authenticated" WITH CHECK ("audit_log"."actor_id" = (select auth.uid()) and ("audit_log"."organization_id" is null or "audit_log"."organization_id" = (select auth.org())
        or exists (select from "member" where "member"."organization_id" = "audit_log"."organization_id" and "member"."user_id" = (select auth.uid()))
        or exists (select from "invitation" where "invitation"."organization_id" = "audit_log"."organization_id" and "invitation"."email" = (select "user"."email" from "user" where "user"."id" = (select auth.uid()) and "user"."email_verified"))));--> statement-breakpoint
CREATE POLICY "audit_log_staff_policy" ON "audit_log" AS PERMISSIVE FOR ALL TO "admin", "support" USING (true) WITH CHECK ("audit_log"."actor_id" = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "audit_log_service_policy" ON "audit_log" AS PERMISSIVE FOR ALL TO "service" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "invitation_resolver_policy" ON "invitation" AS PERMISSIVE FOR ALL TO "auth_resolver" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "invitation_policy" ON "invitation" AS PERMISSIVE FOR ALL TO "authenticated" USING ("invitation"."organization_id" = (select auth.org())) WITH CHECK ("invitation"."organization_id" = (select auth.org()));--> statement-breakpoint
CREATE POLICY "invitation_view_addressed_policy" ON "invitation" AS PERMISSIVE FOR SELECT TO "authenticated" USING ("invitation"."email" = (select "user"."email" from "user" where "user"."id" = (select auth.uid()) and "user"."email_verified"));--> statement-breakpoint
CREATE POLICY "invitation_view_staff_policy" ON "invitation" AS PERMISSIVE FOR SELECT TO "admin", "support" USING (true);--> statement-breakpoint
CREATE POLICY "invitation_service_policy" ON "invitation" AS PERMISSIVE FOR ALL TO "service" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "team_policy" ON "team" AS PERMISSIVE FOR ALL TO "authenticated" USING ("team"."organization_id" = (select auth.org())) WITH CHECK ("team"."organization_id" = (select auth.org()));--> statement-breakpoint
CREATE POLICY "team_view_staff_policy" ON "team" AS PERMISSIVE FOR SELECT TO "admin", "support" USING (true);--> statement-breakpoint
CREATE POLICY "team_member_resolver_policy" ON "team_member" AS PERMISSIVE FOR INSERT TO "auth_resolver" WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "team_member_policy" ON "team_member" AS PERMISSIVE FOR ALL TO "authenticated" USING ("team_member"."organization_id" = (select auth.org())) WITH CHECK ("team_member"."organization_id" = (select auth.org()));--> statement-breakpoint
CREATE POLICY "team_member_view_staff_policy" ON "team_member" AS PERMISSIVE FOR SELECT TO "admin", "support" USING (true);--> statement-breakpoint
ALTER TABLE "audit_log" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "invitation" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "team" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "team_member" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
GRANT SELECT, INSERT ON "audit_log" TO "admin";--> statement-breakpoint
GRANT SELECT, INSERT ON "audit_log" TO "authenticated";--> statement-breakpoint
GRANT SELECT, INSERT ON "audit_log" TO "service";--> statement-breakpoint
GRANT SELECT, INSERT ON "audit_log" TO "support";--> statement-breakpoint
GRANT SELECT ON "invitation" TO "admin";--> statement-breakpoint
GRANT SELECT ("id", "organization_id", "email", "role", "team_id", "status", "expires_at"), UPDATE ("status", "accepted_at", "rejected_at", "updated_at") ON "invitation" TO "auth_resolver";--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ("status", "team_id", "expires_at", "updated_at") ON "invitation" TO "authenticated";--> statement-breakpoint
GRANT SELECT, UPDATE ("status", "updated_at") ON "invitation" TO "service";--> statement-breakpoint
GRANT SELECT ON "invitation" TO "support";--> statement-breakpoint
GRANT SELECT ("id"), INSERT ("id", "organization_id", "user_id", "role") ON "member" TO "auth_resolver";--> statement-breakpoint
GRANT UPDATE ("role", "updated_at"), DELETE ON "member" TO "authenticated";--> statement-breakpoint
GRANT SELECT ("name", "slug", "member_limit"), INSERT ("id", "name", "slug", "logo", "metadata"), UPDATE ("deleted_at", "updated_at") ON "organization" TO "auth_resolver";--> statement-breakpoint
GRANT UPDATE ("name", "slug", "logo", "metadata", "deleted_at", "updated_at") ON "organization" TO "authenticated";--> statement-breakpoint
GRANT UPDATE ("member_limit", "updated_at"), DELETE ON "organization" TO "service";--> statement-breakpoint
GRANT UPDATE ("active_organization_id", "updated_at") ON "session" TO "authenticated";--> statement-breakpoint
GRANT SELECT ON "team" TO "admin";--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ("name", "updated_at"), DELETE ON "team" TO "authenticated";--> statement-breakpoint
GRANT SELECT ON "team" TO "support";--> statement-breakpoint
GRANT SELECT ON "team_member" TO "admin";--> statement-breakpoint
GRANT INSERT ("organization_id", "team_id", "member_id") ON "team_member" TO "auth_resolver";--> statement-breakpoint
GRANT SELECT, INSERT, DELETE ON "team_member" TO "authenticated";--> statement-breakpoint
GRANT SELECT ON "team_member" TO "support";
