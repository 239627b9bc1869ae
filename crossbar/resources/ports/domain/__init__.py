# SPDX-License-Identifier: MPL-2.0
"""What holds whoever asks: no HTTP here."""
