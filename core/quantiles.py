"""Quantiles that intervals are made with."""

Z_95 = 1.959964  # two-sided 95 % quantile of the standard normal
