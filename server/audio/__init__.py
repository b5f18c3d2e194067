"""Audio files: where they are kept (a folder, an S3 service), and the press that takes them in and makes them MP3.

It knows files and formats; it must not know calls, accounts or vendors.
"""
