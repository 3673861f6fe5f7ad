-- title: the rows of a month's deliveries do not add up
-- severity: error
-- rule: rows in = current + superseded + quarantined and none of them below 0,
--   of each delivery and where the bulletin prints them; a row of core is of
--   one of the deliveries
with figure as (
    select
        'delivery' as figure,
        load.load_id as name,
        load.rows_in,
        load.rows_current,
        load.rows_superseded,
        load.rows_quarantined
    from core.month_load as load
    where load.month = $month
    union all
    select
        'source' as figure,
        quality.name,
        quality.rows_in,
        quality.rows_current,
        quality.rows_superseded,
        quality.rows_quarantined
    from bulletin.quality_load as quality
    where quality.month = $month
    union all
    select
        'heading' as figure,
        '' as name,
        heading.rows_in,
        heading.rows_current,
        heading.rows_superseded,
        heading.rows_quarantined
    from bulletin.heading as heading
    where heading.month = $month
)

select
    figure.figure,
    figure.name,
    figure.rows_in,
    figure.rows_current,
    figure.rows_superseded,
    figure.rows_quarantined
from figure
where figure.rows_in
    <> figure.rows_current + figure.rows_superseded + figure.rows_quarantined
    or least(
        figure.rows_in, figure.rows_current, figure.rows_superseded,
        figure.rows_quarantined
    ) < 0
order by figure.figure, figure.name
