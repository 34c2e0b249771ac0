"""The browser application: pages and components. No SQL, no tensors, no science."""
