"""What runs beside the dashboard, in processes of its own."""
