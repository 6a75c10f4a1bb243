"""The images of one session: their order, their readings, and the thread that reads them. Streamlit is not needed."""
