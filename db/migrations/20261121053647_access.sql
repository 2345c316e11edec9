-- Custom SQL migration file, put your code below! ----> statement-breakpoint
ALTER TABLE "identity" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "member" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "organization" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "rate_limit" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "resume" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "resume_visit" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "session" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "user" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "verification" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
GRANT DELETE ON "user" TO "admin";--> statement-breakpoint
GRANT SELECT ON "member" TO "admin";--> statement-breakpoint
GRANT SELECT ON "organization" TO "admin";--> statement-breakpoint
GRANT SELECT ON "resume" TO "admin";--> statement-breakpoint
GRANT SELECT ON "user" TO "admin";--> statement-breakpoint
GRANT UPDATE ON "user" TO "admin";--> statement-breakpoint
GRANT SELECT ("created_at", "deleted_at", "downloads", "id", "is_public", "name", "public_data", "slug", "template", "thumbnail_url", "updated_at", "views") ON "resume" TO "app_cached";--> statement-breakpoint
GRANT DELETE ON "identity" TO "app_direct";--> statement-breakpoint
GRANT DELETE ON "rate_limit" TO "app_direct";--> statement-breakpoint
GRANT DELETE ON "session" TO "app_direct";--> statement-breakpoint
GRANT DELETE ON "user" TO "app_direct";--> statement-breakpoint
GRANT DELETE ON "verification" TO "app_direct";--> statement-breakpoint
GRANT INSERT ON "identity" TO "app_direct";--> statement-breakpoint
GRANT INSERT ON "rate_limit" TO "app_direct";--> statement-breakpoint
GRANT INSERT ON "session" TO "app_direct";--> statement-breakpoint
GRANT INSERT ON "user" TO "app_direct";--> statement-breakpoint
GRANT INSERT ON "verification" TO "app_direct";--> statement-breakpoint
GRANT SELECT ON "identity" TO "app_direct";--> statement-breakpoint
GRANT SELECT ON "rate_limit" TO "app_direct";--> statement-breakpoint
GRANT SELECT ("created_at", "deleted_at", "downloads", "id", "is_public", "name", "public_data", "slug", "template", "thumbnail_url", "updated_at", "views") ON "resume" TO "app_direct";--> statement-breakpoint
GRANT SELECT ON "session" TO "app_direct";--> statement-breakpoint
GRANT SELECT ON "user" TO "app_direct";--> statement-breakpoint
GRANT SELECT ON "verification" TO "app_direct";--> statement-breakpoint
GRANT UPDATE ON "identity" TO "app_direct";--> statement-breakpoint
GRANT UPDATE ON "rate_limit" TO "app_direct";--> statement-breakpoint
GRANT UPDATE ON "session" TO "app_direct";--> statement-breakpoint
GRANT UPDATE ON "user" TO "app_direct";--> statement-breakpoint
GRANT UPDATE ON "verification" TO "app_direct";--> statement-breakpoint
GRANT SELECT ("organization_id", "role", "user_id") ON "member" TO "auth_resolver";--> statement-breakpoint
GRANT SELECT ("deleted_at", "id") ON "organization" TO "auth_resolver";--> statement-breakpoint
GRANT SELECT ON "session" TO "auth_resolver";--> statement-breakpoint
GRANT SELECT ON "user" TO "auth_resolver";--> statement-breakpoint
GRANT DELETE ON "session" TO "authenticated";--> statement-breakpoint
GRANT DELETE ON "user" TO "authenticated";--> statement-breakpoint
GRANT INSERT ON "resume" TO "authenticated";--> statement-breakpoint
GRANT SELECT ("account_id", "created_at", "id", "provider_id", "scope", "updated_at", "user_id") ON "identity" TO "authenticated";--> statement-breakpoint
GRANT SELECT ON "member" TO "authenticated";--> statement-breakpoint
GRANT SELECT ON "organization" TO "authenticated";--> statement-breakpoint
GRANT SELECT ("day", "kind", "resume_id") ON "resume_visit" TO "authenticated";--> statement-breakpoint
GRANT SELECT ON "resume" TO "authenticated";--> statement-breakpoint
GRANT SELECT ("created_at", "expires_at", "id", "impersonated_by", "ip_address", "updated_at", "user_agent", "user_id") ON "session" TO "authenticated";--> statement-breakpoint
GRANT SELECT ("created_at", "email", "email_verified", "id", "image", "is_anonymous", "name", "two_factor_enabled", "updated_at") ON "user" TO "authenticated";--> statement-breakpoint
GRANT UPDATE ("data", "deleted_at", "hidden", "is_public", "name", "public_data", "slug", "template", "thumbnail_url", "updated_at", "version") ON "resume" TO "authenticated";--> statement-breakpoint
GRANT UPDATE ("image", "name", "updated_at") ON "user" TO "authenticated";--> statement-breakpoint
GRANT DELETE ON "resume_visit" TO "service";--> statement-breakpoint
GRANT DELETE ON "resume" TO "service";--> statement-breakpoint
GRANT INSERT ON "resume_visit" TO "service";--> statement-breakpoint
GRANT SELECT ON "member" TO "service";--> statement-breakpoint
GRANT SELECT ON "organization" TO "service";--> statement-breakpoint
GRANT SELECT ON "resume_visit" TO "service";--> statement-breakpoint
GRANT SELECT ON "resume" TO "service";--> statement-breakpoint
GRANT SELECT ON "user" TO "service";--> statement-breakpoint
GRANT UPDATE ("downloads", "updated_at", "views") ON "resume" TO "service";--> statement-breakpoint
GRANT SELECT ON "member" TO "support";--> statement-breakpoint
GRANT SELECT ON "organization" TO "support";--> statement-breakpoint
GRANT SELECT ON "resume" TO "support";--> statement-breakpoint
GRANT SELECT ON "user" TO "support";
