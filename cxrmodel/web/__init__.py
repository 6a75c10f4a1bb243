"""The only package that knows streamlit."""
