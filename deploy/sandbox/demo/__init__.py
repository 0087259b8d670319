"""Four calls with real SIP phones, shown live and judged."""
