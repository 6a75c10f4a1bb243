"""The server around Streamlit: who may ask for what, and what every answer says to the browser."""
