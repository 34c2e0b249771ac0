"""Sign-in, allowed hosts, and JSON over HTTP beside Bokeh's connection."""
