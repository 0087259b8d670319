"""Readers of a company's documents: Markdown, text, DOCX, PDF, CSV and XLSX become passages or one clear refusal."""
