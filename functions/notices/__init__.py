"""Notices to customers by mail and in the dashboard: delivery, unsubscribe links, bounces and complaints."""
