"""What people want of Open-Xchange's modules beyond the documented calls."""
