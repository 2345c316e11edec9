ALTER TABLE "identity" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "member" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "organization" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "rate_limit" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "resume" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "resume_visit" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "session" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "user" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "verification" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "identity" TO "app_direct";--> statement-breakpoint
GRANT SELECT ("id", "user_id", "provider_id", "account_id", "scope", "created_at", "updated_at") ON "identity" TO "authenticated";--> statement-breakpoint
GRANT SELECT ON "member" TO "admin";--> statement-breakpoint
GRANT SELECT ("organization_id", "user_id", "role") ON "member" TO "auth_resolver";--> statement-breakpoint
GRANT SELECT ON "member" TO "authenticated";--> statement-breakpoint
GRANT SELECT ON "member" TO "service";--> statement-breakpoint
GRANT SELECT ON "member" TO "support";--> statement-breakpoint
GRANT SELECT ON "organization" TO "admin";--> statement-breakpoint
GRANT SELECT ("id", "deleted_at") ON "organization" TO "auth_resolver";--> statement-breakpoint
GRANT SELECT ON "organization" TO "authenticated";--> statement-breakpoint
GRANT SELECT ON "organization" TO "service";--> statement-breakpoint
GRANT SELECT ON "organization" TO "support";--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "rate_limit" TO "app_direct";--> statement-breakpoint
GRANT SELECT ON "resume" TO "admin";--> statement-breakpoint
GRANT SELECT ("id", "slug", "name", "public_data", "template", "is_public", "views", "downloads", "thumbnail_url", "deleted_at", "created_at", "updated_at") ON "resume" TO "app_cached";--> statement-breakpoint
GRANT SELECT ("id", "slug", "name", "public_data", "template", "is_public", "views", "downloads", "thumbnail_url", "deleted_at", "created_at", "updated_at") ON "resume" TO "app_direct";--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ("name", "slug", "data", "public_data", "hidden", "template", "is_public", "thumbnail_url", "version", "deleted_at", "updated_at") ON "resume" TO "authenticated";--> statement-breakpoint
GRANT SELECT, UPDATE ("views", "downloads", "updated_at"), DELETE ON "resume" TO "service";--> statement-breakpoint
GRANT SELECT ON "resume" TO "support";--> statement-breakpoint
GRANT SELECT ("resume_id", "kind", "day") ON "resume_visit" TO "authenticated";--> statement-breakpoint
GRANT SELECT, INSERT, DELETE ON "resume_visit" TO "service";--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "session" TO "app_direct";--> statement-breakpoint
GRANT SELECT ON "session" TO "auth_resolver";--> statement-breakpoint
GRANT SELECT ("id", "user_id", "expires_at", "ip_address", "user_agent", "impersonated_by", "created_at", "updated_at"), DELETE ON "session" TO "authenticated";--> statement-breakpoint
GRANT SELECT, UPDATE, DELETE ON "user" TO "admin";--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "user" TO "app_direct";--> statement-breakpoint
GRANT SELECT ON "user" TO "auth_resolver";--> statement-breakpoint
GRANT SELECT ("id", "name", "email", "email_verified", "image", "is_anonymous", "two_factor_enabled", "created_at", "updated_at"), UPDATE ("name", "image", "updated_at"), DELETE ON "user" TO "authenticated";--> statement-breakpoint
GRANT SELECT ON "user" TO "service";--> statement-breakpoint
GRANT SELECT ON "user" TO "support";--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "verification" TO "app_direct";
