-- title: 全镇工单受理量与按期率走势
-- title-hant: 全鎮工單受理量與按期率走勢
-- title-en: Tickets reported and handled in time, month by month
select
    trend.of_month,
    trend.reported,
    trend.due,
    trend.on_time,
    trend.on_time_rate
from bulletin.trend_ticket as trend
where trend.month = $month
order by trend.of_month
